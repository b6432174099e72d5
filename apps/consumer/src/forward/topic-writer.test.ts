import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type Producer, type TopicPartition } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { refusesRecord, TopicWriter, type MovedRecord } from './topic-writer.ts';

const target: TopicPartition = { topic: 't.dlt', partition: 3 };
const record = (text: string, bytes = 1): MovedRecord => ({ key: text, value: Buffer.alloc(bytes) });
const never = new AbortController().signal;
const impatient: Clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: async (_, signal) => signal?.throwIfAborted() };

/** A producer that refuses the first sends and checks that no two for one partition overlap. */
function producer(refusals: number) {
  const sent: string[][] = [];
  let busy = false;
  const port: Producer = {
    async send(_, records) {
      assert.equal(busy, false, 'two sends at once for one partition');
      busy = true;
      await new Promise((resolve) => setImmediate(resolve));
      busy = false;
      if (refusals-- > 0) throw new Error('not enough replicas');
      sent.push(records.map(({ key }) => String(key)));
    },
    close: async () => undefined,
  };
  return { port, sent };
}

test('what is refused is written in the end, in order, each once, and each refusal is told', async () => {
  const { port, sent } = producer(3);
  const waits: number[] = [];
  const writer = new TopicWriter({
    producer: port,
    clock: impatient,
    random: () => 0,
    onFailure: (_e, _t, ms) => waits.push(ms),
  });
  const first = writer.append(target, record('a'), never);
  const second = writer.append(target, record('b'), never);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, second, writer.append(target, record('c'), never)]);
  assert.deepEqual(sent.flat(), ['a', 'b', 'c']);
  assert.deepEqual(waits, [250, 500, 1000]);
});

test('a large record goes alone', async () => {
  const { port, sent } = producer(0);
  const writer = new TopicWriter({ producer: port, onFailure: () => assert.fail('no refusal') });
  await Promise.all([
    writer.append(target, record('a'), never),
    writer.append(target, record('big', 2 << 20), never),
    writer.append(target, record('c'), never),
  ]);
  assert.deepEqual(sent, [['a'], ['big'], ['c']]);
});

test('an aborted append ends with the reason, and the others are still written', async () => {
  const { port, sent } = producer(2);
  const abort = new AbortController();
  const writer = new TopicWriter({
    producer: port,
    clock: impatient,
    onFailure: () => abort.abort(new Error('time is over')),
  });
  const gone = writer.append(target, record('a'), abort.signal);
  const kept = writer.append(target, record('b'), never);
  await assert.rejects(gone, /time is over/);
  await kept;
  assert.deepEqual(sent, [['b']]);
});

/** Refuses each send that holds a record of this key, with this error. */
function choosy(refused: string, error: Error) {
  const sent: string[][] = [];
  const port: Producer = {
    async send(_, records) {
      const keys = records.map(({ key }) => String(key));
      if (keys.includes(refused)) throw error;
      sent.push(keys);
    },
    close: async () => undefined,
  };
  return { port, sent };
}

test('a record that the topic refuses for good is told so, and poisons none of those sent with it', async () => {
  for (const code of ['message-too-large', 'record-refused'] as const) {
    const { port, sent } = choosy('big', new KafkaError(code, 'no'));
    const writer = new TopicWriter({ producer: port, onFailure: () => assert.fail('nothing to wait for') });
    const before = writer.append(target, record('a'), never);
    const refused = writer.append(target, record('big'), never);
    const after = ['c', 'd'].map(async (key) => writer.append(target, record(key), never));
    await assert.rejects(refused, (error) => refusesRecord(error) && error.code === code);
    await Promise.all([before, ...after]);
    assert.deepEqual(sent, [['a'], ['c'], ['d']]);
    await writer.append(target, record('e'), never);
    assert.deepEqual(sent.at(-1), ['e']);
  }
});

test('brokers that are away are waited for without end', async () => {
  const clock = new ManualClock();
  let isAway = true;
  const port: Producer = {
    send: async () => (isAway ? Promise.reject(new KafkaError('broker-not-ready', 'away')) : undefined),
    close: async () => undefined,
  };
  let written = false;
  const writer = new TopicWriter({ producer: port, clock, random: () => 0, onFailure: () => undefined });
  const appended = writer.append(target, record('a'), never).then(() => (written = true));
  await clock.advance(9000);
  assert.equal(writer.notReady, undefined, 'a moment is no trouble');
  for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
  assert.equal(written, false);
  assert.equal(writer.notReady, 'records cannot be moved to t.dlt (broker-not-ready)');
  isAway = false;
  await clock.advance(60_000);
  await appended;
  assert.equal(writer.notReady, undefined);
  isAway = true;
  const stop = new AbortController();
  const given = assert.rejects(writer.append(target, record('b'), stop.signal), /no more/);
  await clock.advance(60_000);
  assert.notEqual(writer.notReady, undefined);
  stop.abort(new Error('no more'));
  await given;
  assert.equal(writer.notReady, undefined, 'nothing waits here any more');
});

test('a missing right or topic is waited out for two minutes, then it is the end', async () => {
  for (const code of ['authorization-failed', 'topic-missing', 'kafka-failed'] as const) {
    const clock = new ManualClock();
    const { port } = choosy('a', new KafkaError(code, 'no'));
    let failures = 0;
    const writer = new TopicWriter({ producer: port, clock, random: () => 0, onFailure: () => (failures += 1) });
    const ended = assert.rejects(writer.append(target, record('a'), never), { code });
    await clock.advance(110_000);
    assert.ok(failures > 5, 'one refusal is not a verdict');
    await clock.advance(60_000);
    await ended;
  }
});
