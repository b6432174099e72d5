import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { Enrolment } from './enrolment.ts';
import { protocolError, type EnrolCall, type TransactionCoordinator } from './internals.ts';

const NOT_COORDINATOR = 16;
const TOPIC_AUTHORIZATION_FAILED = 29;
const CONCURRENT_TRANSACTIONS = 51;

const call = (topic: string, partition: number): EnrolCall => ({
  transactionalId: 'tx',
  producerId: '7',
  producerEpoch: 1,
  topics: [{ topic, partitions: [partition] }],
});

/** A coordinator that answers as `answer` says, asked what is in `asked`. */
function coordinator(answer: (call: EnrolCall) => Promise<unknown>) {
  const asked: EnrolCall['topics'][] = [];
  const state = { found: 0 };
  const unused = async () => assert.fail();
  const broker: TransactionCoordinator = {
    initProducerId: unused,
    endTxn: unused,
    addPartitionsToTxn: async (enrolled) => {
      asked.push(enrolled.topics);
      return answer(enrolled);
    },
  };
  const find = async () => {
    state.found += 1;
    return broker;
  };
  return { asked, state, find };
}

test('partitions that are asked for at once are one request, and those that come meanwhile are the next one', async () => {
  const answers = Promise.withResolvers<undefined>();
  const { asked, state, find } = coordinator(() => answers.promise);
  const enrolment = new Enrolment(find);
  const first = [call('t', 0), call('t', 1), call('dlt', 0)].map(async (one) => enrolment.enrol(one));
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const late = [call('t', 2), call('ledger', 5)].map(async (one) => enrolment.enrol(one));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked.length, 1, 'a coordinator takes one change at a time');
  answers.resolve(undefined);
  await Promise.all([...first, ...late]);
  assert.deepEqual(asked, [
    [
      { topic: 't', partitions: [0, 1] },
      { topic: 'dlt', partitions: [0] },
    ],
    [
      { topic: 't', partitions: [2] },
      { topic: 'ledger', partitions: [5] },
    ],
  ]);
  assert.equal(state.found, 1);
});

test('while the markers of the transaction before are written it asks again, for a while', async () => {
  let refusals = 3;
  const { asked, find } = coordinator(async () => {
    refusals -= 1;
    if (refusals >= 0) throw protocolError(CONCURRENT_TRANSACTIONS);
  });
  const clock = new ManualClock();
  const enrolled = new Enrolment(find, clock).enrol(call('t', 0));
  const patience = async (turns: number) => {
    for (let turn = 0; turn < turns; turn += 1) {
      await clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await patience(10);
  await enrolled;
  assert.equal(asked.length, 4);
  refusals = Number.POSITIVE_INFINITY;
  const refused = assert.rejects(new Enrolment(find, clock).enrol(call('t', 0)), { type: 'CONCURRENT_TRANSACTIONS' });
  await patience(40);
  await refused;
});

test('where one of several is refused each hears of its own, and the coordinator is looked for again', async () => {
  const { asked, state, find } = coordinator(async ({ topics }) => {
    if (topics.some(({ topic }) => topic === 'secret')) throw protocolError(TOPIC_AUTHORIZATION_FAILED);
  });
  const enrolment = new Enrolment(find);
  const [open, secret] = [enrolment.enrol(call('t', 0)), enrolment.enrol(call('secret', 0))];
  await assert.rejects(secret, { type: 'TOPIC_AUTHORIZATION_FAILED' });
  await open;
  assert.equal(asked.length, 3);
  assert.equal(state.found, 2);
});

test('a coordinator that has moved is looked for again by the next request', async () => {
  let moved = true;
  const { state, find } = coordinator(async () => {
    if (moved) throw protocolError(NOT_COORDINATOR);
  });
  const enrolment = new Enrolment(find);
  await assert.rejects(enrolment.enrol(call('t', 0)), { type: 'NOT_COORDINATOR_FOR_GROUP' });
  moved = false;
  await enrolment.enrol(call('t', 0));
  assert.equal(state.found, 2);
});

test('a coordinator that does not answer fails all that wait for it, once', async () => {
  const { asked, find } = coordinator(async () => {
    throw Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' });
  });
  const enrolment = new Enrolment(find);
  const both = [0, 1].map(async (partition) => assert.rejects(enrolment.enrol(call('t', partition)), /no answer/));
  await Promise.all(both);
  assert.equal(asked.length, 1);
});
