import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRule, type RoutePlan } from '@genesys-kafka/routing';
import {
  formatDeadLetter,
  frame,
  parseDeadLetter,
  parseRetryHeaders,
  RecordReader,
  REPLAY_HEADER,
  type DeadLetter,
} from '@genesys-kafka/topics';
import type { StoredDeadLetter } from '../letters/stored-dead-letter.ts';
import { replayTarget, retryRecords, type ReplayTarget } from './replay-target.ts';

const policy = { tiersMs: [1000], maxAttempts: 2 };
function plan(name: string, when?: string): RoutePlan {
  const rule = when === undefined ? undefined : compileRule(when, name);
  return { name, groupId: `g.${name}`, rule, sink: 's', priority: 'normal', policy, blocking: false };
}

function stored(more: Partial<DeadLetter>, value: Buffer = frame(1, Buffer.from('{"n":1}'))): StoredDeadLetter {
  const letter: DeadLetter = {
    framing: 'confluent',
    stage: 'deliver',
    cause: 'http-422',
    reason: 'refused',
    httpStatus: 422,
    timestampMs: 0,
    origin: { topic: 'd', partition: 2, offset: 41n },
    route: 'crm',
    attempts: 3,
    ...more,
  };
  const texts = Object.entries({ ...formatDeadLetter(letter), 'source-id': 'job-1' });
  const headers = Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text)]));
  return {
    id: 'd/2/41/crm/3',
    deadLetter: parseDeadLetter(headers),
    key: Buffer.from('c'),
    place: { partition: 0, offset: 9n },
    value: () => value,
    headers: () => headers,
  };
}

async function target(letter: StoredDeadLetter, ...plans: RoutePlan[]): Promise<string> {
  const found: ReplayTarget = await replayTarget(letter, {
    plans,
    reader: new RecordReader(undefined),
    signal: new AbortController().signal,
  });
  return found.kind === 'refused' ? found.why : found.routes.map(({ name }) => name).join();
}

test('a delivery that failed goes back to its own route, and only there', async () => {
  assert.equal(await target(stored({}), plan('crm', 'record.n == 2.0'), plan('all')), 'crm');
  assert.match(await target(stored({}), plan('all')), /not in the configuration/);
  const unshaped = stored({ stage: 'route', cause: 'reshape-error', attempts: 0 });
  assert.equal(await target(unshaped, plan('crm', 'record.n == 2.0'), plan('all')), 'crm');
});

test('a retry that could not be read any more goes to its own route alone; what no route had read, to those that pick it', async () => {
  const decode = { stage: 'decode', cause: 'unknown-schema-id' } as const;
  assert.equal(await target(stored(decode), plan('crm', 'record.n == 2.0'), plan('all')), 'crm');
  assert.match(await target(stored(decode), plan('all')), /not in the configuration/);
  const unread = stored({ ...decode, route: 'unrouted', attempts: 0 });
  assert.equal(await target(unread, plan('crm', 'record.n == 2.0'), plan('all')), 'all');
});

test('what no route took goes to those that take it now; a failing rule and a missing one are said', async () => {
  const unrouted = stored({ stage: 'route', cause: 'unrouted', route: 'unrouted', attempts: 0 });
  assert.equal(
    await target(unrouted, plan('one', 'record.n == 1.0'), plan('two', 'record.n == 2.0'), plan('all')),
    'one,all',
  );
  assert.match(await target(unrouted, plan('two', 'record.n == 2.0')), /no route picks it/);
  const failing = stored({ stage: 'route', cause: 'rule-error', attempts: 0 });
  assert.match(await target(failing, plan('crm', 'record.n > "a"'), plan('all')), /rule still fails/);
  assert.equal(await target(failing, plan('crm', 'record.n == 1.0'), plan('all')), 'crm');
  assert.equal(await target(failing, plan('one', 'record.n == 1.0'), plan('two', 'record.n == 2.0')), 'one');
  // Of another cause its route is no matter.
  const other = stored({ stage: 'route', cause: 'route-removed', attempts: 0 });
  assert.equal(await target(other, plan('crm', 'record.n == 2.0'), plan('all')), 'all');
});

test('what nobody can read, and what never was on the main topic, is refused', async () => {
  assert.match(await target(stored({ stage: 'decode' }, Buffer.from('x')), plan('all')), /still cannot be read/);
  const producer = stored({ stage: 'validate', framing: 'none', origin: { source: 'job-1', ordinal: 4 } });
  assert.match(await target(producer, plan('all')), /export its window/);
});

test('the retry record: attempt 1 and due now, own headers and history kept, nothing left of the envelope', () => {
  const headers = retryRecords(stored({}), [plan('crm')], 1000)[0]!.headers as Record<string, string | Buffer>;
  const buffers = Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, Buffer.from(one)]));
  const { attempt, notBeforeMs, route, group, recordVersion } = parseRetryHeaders(buffers);
  assert.deepEqual([attempt, notBeforeMs, route, group, recordVersion], [1, 1000, 'crm', 'g.crm', 41n]);
  assert.equal(String(headers['source-id']), 'job-1');
  assert.equal(headers[REPLAY_HEADER.replayOf], 'd/2/41/crm/3');
  assert.equal(headers[REPLAY_HEADER.priorAttempts], '3');
  // The rest of the envelope says the same of both.
  const kept = new Set(['cause', 'route', 'origin-topic', 'origin-partition', 'origin-offset', 'source-id']);
  const envelope = Object.keys(stored({}).headers()).filter((name) => !kept.has(name));
  assert.deepEqual(
    envelope.filter((name) => headers[name] !== undefined),
    [],
  );
  const ofProducer = stored({ stage: 'validate', framing: 'none', origin: { source: 'job-1', ordinal: 4 } });
  assert.throws(() => retryRecords(ofProducer, [plan('crm')], 0), /no place in the main topic/);
});

test('a record that has died before goes on with its version and place, and with how often it was replayed', () => {
  const first = stored({});
  const replayed = (headers: Record<string, string>) => {
    const known = Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)] as const);
    const letter = { ...first, headers: () => ({ ...first.headers(), ...Object.fromEntries(known) }) };
    const made = Object.entries(retryRecords(letter, [plan('crm')], 0)[0]!.headers!).map(([name, one]) => [
      name,
      Buffer.from(one!),
    ]);
    return Object.fromEntries(made) as Record<string, Buffer>;
  };
  const again = replayed({ 'record-version': '17', [REPLAY_HEADER.replays]: '2' });
  const { recordVersion, origin } = parseRetryHeaders(again);
  assert.deepEqual([recordVersion, origin], [17n, { topic: 'd', partition: 2, offset: 41n }]);
  assert.equal(String(again[REPLAY_HEADER.replays]), '3');
  assert.equal(String(replayed({})[REPLAY_HEADER.replays]), '1');
  for (const odd of ['x17', '17x', '', '1'.repeat(20)]) {
    const made = replayed({ 'record-version': odd, [REPLAY_HEADER.replays]: odd });
    assert.equal(parseRetryHeaders(made).recordVersion, 41n, odd);
    assert.equal(String(made[REPLAY_HEADER.replays]), '1', odd);
  }
  assert.equal(String(replayed({ [REPLAY_HEADER.replayOf]: 'x' })[REPLAY_HEADER.replays]), '2', 'of earlier versions');
});

test('a pointer, whose value no topic took, is left with its reason', async () => {
  assert.match(await target(stored({ omittedBytes: 9 }), plan('crm')), /has no value/);
});
