import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRule } from '@genesys-kafka/routing';
import { frame, parseDeadLetter, parseRetryHeaders, partitionFor, REPLAY_HEADER } from '@genesys-kafka/topics';
import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import { busy, login, ok, received, record, refused, route, text } from '../../fixtures/scripted-route.ts';

test('delivered: the bare bytes, a stable key and the version go to the sink, and nothing moves', async () => {
  const crm = route([ok]);
  await crm.work(record(frame(9, Buffer.from(text))));
  const [delivery] = crm.deliveries;
  assert.equal(delivery!.body.toString(), text);
  assert.deepEqual(
    [delivery!.key, delivery!.idempotencyKey, delivery!.recordVersion, delivery!.contentType],
    ['c1', 'job-1:7', 41n, 'application/json'],
  );
  assert.deepEqual(crm.sent, []);
});

test('retry: tier by tier with the value unchanged, waiting for not-before, then a dead letter with all its history', async () => {
  const crm = route([busy]);
  const original = record(frame(9, Buffer.from(text)));
  await crm.work(original);
  assert.equal(crm.sent[0]!.topic, 'd.retry-1');
  assert.equal(crm.sent[0]!.partition, partitionFor('c1', 6));
  const first = received(crm.sent[0]!);
  assert.deepEqual(first.value, original.value);
  assert.equal(first.headers['source-id']!.toString(), 'job-1');
  const state = parseRetryHeaders(first.headers);
  assert.deepEqual([state.route, state.group, state.attempt, state.cause], ['crm', 'g.test.crm', 2, 'http-503']);
  assert.equal(state.notBeforeMs, crm.clock.nowMs() + 5000);

  const second = crm.work(first);
  await crm.clock.advance(4999);
  assert.equal(crm.deliveries.length, 1, 'not before its time');
  assert.equal(crm.waits(), 1);
  await crm.clock.advance(1);
  await second;
  assert.equal(crm.sent[1]!.topic, 'd.retry-2');
  const third = crm.work(received(crm.sent[1]!));
  await crm.clock.advance(60_000);
  await third;
  const letter = received(crm.sent[2]!);
  assert.equal(letter.topic, 'd.dlt');
  assert.deepEqual(letter.value, original.value);
  const { framing, stage, cause, route: name, attempts, httpStatus, origin } = parseDeadLetter(letter.headers);
  assert.deepEqual(
    { framing, stage, cause, name, attempts, httpStatus, origin },
    {
      framing: 'confluent',
      stage: 'deliver',
      cause: 'http-503',
      name: 'crm',
      attempts: 3,
      httpStatus: 503,
      origin: { topic: 'd', partition: 2, offset: 41n },
    },
  );
  assert.deepEqual(
    new Set(crm.deliveries.map((one) => `${one.idempotencyKey} ${one.recordVersion}`)),
    new Set(['job-1:7 41']),
    'the same key and version at every attempt',
  );
});

test('a record of another producer is known by its place in the main topic, at each attempt', async () => {
  for (const headers of [{}, { 'source-id': Buffer.from('job-1'), ordinal: Buffer.from('seven') }]) {
    const crm = route([busy, ok]);
    await crm.work(record(frame(9, Buffer.from(text)), { headers }));
    const again = crm.work(received(crm.sent[0]!));
    await crm.clock.advance(5000);
    await again;
    assert.deepEqual(
      crm.deliveries.map(({ idempotencyKey }) => idempotencyKey),
      ['d:2:41', 'd:2:41'],
    );
  }
});

test('Retry-After: the smallest tier that covers it', async () => {
  const crm = route([{ ...busy, retryAfterMs: 20_000 }]);
  await crm.work(record(frame(9, Buffer.from(text))));
  assert.equal(crm.sent[0]!.topic, 'd.retry-2');
});

test('rejected: a dead letter at once; a replayed one goes on counting its attempts', async () => {
  const crm = route([refused]);
  await crm.work(record(frame(9, Buffer.from(text))));
  assert.equal(parseDeadLetter(received(crm.sent[0]!).headers).attempts, 1);
  const headers = { [REPLAY_HEADER.replayOf]: Buffer.from('id'), [REPLAY_HEADER.priorAttempts]: Buffer.from('4') };
  await crm.work(record(frame(9, Buffer.from(text)), { headers }));
  assert.equal(parseDeadLetter(received(crm.sent[1]!).headers).attempts, 5);
  const unread = route([ok], { keepsUnreadable: true });
  await unread.work(record(Buffer.from('x'), { headers }));
  assert.equal(parseDeadLetter(received(unread.sent[0]!).headers).attempts, 5, 'a new identity without a delivery too');
});

test('refused by the target (401): the record waits for the circuit, and costs no attempt', async () => {
  const crm = route([login, login, ok]);
  const working = crm.work(record(frame(9, Buffer.from(text))));
  await crm.clock.advance(29_000);
  assert.equal(crm.deliveries.length, 1);
  await crm.clock.advance(120_000);
  await working;
  assert.equal(crm.deliveries.length, 3);
  assert.deepEqual(crm.sent, []);
});

test('a 429 with a Retry-After beyond the tiers: nothing is sent for that time, the record waits in place, and it was an attempt', async () => {
  const failure = { cause: 'http-429', reason: 'busy', httpStatus: 429 };
  const limited: DeliveryOutcome = { kind: 'retry', failure, retryAfterMs: 120_000 };
  const crm = route([limited, limited, ok, busy, ok]);
  const working = ['a', 'b'].map(async (key) =>
    crm.work(record(frame(9, Buffer.from(text)), { key: Buffer.from(key) })),
  );
  await crm.clock.advance(1000);
  working.push(crm.work(record(frame(9, Buffer.from(text)), { key: Buffer.from('c') })));
  await crm.clock.advance(118_000);
  assert.deepEqual([crm.deliveries.length, crm.sent], [2, []]);
  await crm.clock.advance(1000);
  await Promise.all(working);
  assert.deepEqual([crm.deliveries.length, crm.sent.length], [5, 1]);
  assert.equal(parseRetryHeaders(received(crm.sent[0]!).headers).attempt, 3);
});

test('waiting for the circuit counts as no attempt: what fails after it goes on where it stood', async () => {
  const crm = route([login, login, ok, busy]);
  const working = ['a', 'b'].map(async (key) =>
    crm.work(record(frame(9, Buffer.from(text)), { key: Buffer.from(key) })),
  );
  await crm.clock.advance(29_000);
  await crm.clock.advance(120_000);
  await Promise.all(working);
  assert.deepEqual([crm.deliveries.length, crm.sent.length], [4, 1]);
  assert.equal(parseRetryHeaders(received(crm.sent[0]!).headers).attempt, 2);
});

test('a record that is rejected while the circuit opens is a dead letter at once: it is the fault of the record', async () => {
  const crm = route([login, refused]);
  const [held, rejected] = ['a', 'b'].map(async (key) =>
    crm.work(record(frame(9, Buffer.from(text)), { key: Buffer.from(key) })),
  );
  await rejected;
  assert.equal(crm.gate.state, 'open');
  assert.deepEqual([crm.deliveries.length, crm.sent[0]?.topic], [2, 'd.dlt']);
  await crm.clock.advance(30_000);
  await held;
});

test('a dead target: once the circuit is open no attempt is burnt, failed probes included', async () => {
  const crm = route([...Array.from({ length: 12 }, () => busy), ok], { over: 2 });
  const working = ['a', 'b', 'c'].map(async (key, index) =>
    crm.work(record(frame(9, Buffer.from(text)), { key: Buffer.from(key), offset: BigInt(index) })),
  );
  await crm.clock.advance(15 * 60_000);
  await Promise.all(working);
  assert.deepEqual(crm.sent, []);
  assert.equal(crm.deliveries.length, 12 + 3);
  assert.ok(new Set(crm.deliveries.slice(3, 9).map(({ key }) => key)).size > 1, 'the probes are not always one record');
});

test('a sink of batches: keys go together, a key record by record, and each record has its own outcome', async () => {
  const answers = [ok, refused, busy, ok];
  const crm = route(answers, { batch: { records: 10, bytes: 1 << 20, ageMs: 5 } });
  const keys = ['a', 'b', 'c', 'a', 'b', 'a'];
  const records = keys.map((key, index) =>
    record(frame(9, Buffer.from(text)), { key: Buffer.from(key), offset: BigInt(index) }),
  );
  crm.flow.accept({ topic: 'd', partition: 2, from: 0n, outOfRange: false, unwanted: 0, records, nextOffset: 6n });
  await crm.clock.advance(100);
  assert.deepEqual(crm.batches, ['a@0 b@1 c@2', 'a@3 b@4', 'a@5']);
  assert.deepEqual(
    crm.sent.map(({ topic, record: { key } }) => `${topic} ${String(key)}`),
    ['d.dlt b', 'd.retry-1 c'],
  );
  assert.equal(crm.flow.position, 6n);
});

test('blocking: the retry waits in memory, and no retry topic is used', async () => {
  const crm = route([busy, busy, ok], { blocking: true });
  const working = crm.work(record(frame(9, Buffer.from(text))));
  await crm.clock.advance(5000 + 60_000);
  await working;
  assert.equal(crm.deliveries.length, 3);
  assert.deepEqual(crm.sent, []);
  assert.equal(crm.waits(), 0, 'other keys of the partition go on');
});

test('blocking: each try waits a tier longer, the last failed one is a dead letter; a stop ends the wait', async () => {
  const crm = route([busy], { blocking: true });
  const working = crm.work(record(frame(9, Buffer.from(text))));
  const tries: number[] = [];
  for (const waitMs of [4999, 1, 59_999, 1]) {
    await crm.clock.advance(waitMs);
    tries.push(crm.deliveries.length);
  }
  assert.deepEqual(tries, [1, 2, 2, 3]);
  await working;
  assert.equal(crm.sent[0]!.topic, 'd.dlt');
  assert.equal(parseDeadLetter(received(crm.sent[0]!).headers).attempts, 3);

  const stopped = route([busy], { blocking: true });
  const waiting = stopped.work(record(frame(9, Buffer.from(text))));
  await stopped.clock.advance(10);
  stopped.stopping.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
});

test('records of other routes, and records that the rule does not pick, are skipped', async () => {
  const rule = compileRule('record.n == 2', 'crm');
  const crm = route([ok], { picks: (parsed) => rule.evaluate({ record: parsed, headers: {} }) });
  await crm.work(record(frame(9, Buffer.from(text))));
  const other = route([busy]);
  await other.work(record(frame(9, Buffer.from(text))));
  const foreign = received(other.sent[0]!);
  foreign.headers.route!.write('erp');
  await crm.work(foreign);
  assert.deepEqual(crm.skipped, ['skipped', 'skipped']);
  assert.deepEqual([crm.deliveries, crm.sent], [[], []]);
});

test('a rule that fails on a record: a dead letter that says so, without its values', async () => {
  const rule = compileRule('record.conversationId > 5.0', 'crm');
  const crm = route([ok], { picks: (parsed) => rule.evaluate({ record: parsed, headers: {} }) });
  await crm.work(record(frame(9, Buffer.from(text))));
  const letter = parseDeadLetter(received(crm.sent[0]!).headers);
  assert.deepEqual([letter.stage, letter.cause, letter.attempts], ['route', 'rule-error', 0]);
  assert.doesNotMatch(letter.reason, /c1/);
});

test('unreadable: original bytes to the dead letters of the one group that keeps it, skipped by the others', async () => {
  const unreadables: [Buffer | null, string, string][] = [
    [Buffer.from([7, 0, 0, 0, 1, 0x7b]), 'frame-wrong-magic', 'none'],
    [Buffer.from([0, 0]), 'frame-too-short', 'none'],
    [null, 'frame-missing', 'none'],
    [frame(1, Buffer.from('{"n": secret')), 'json-invalid', 'confluent'],
    [frame(1, Buffer.from([0x22, 0xff, 0x22])), 'json-invalid', 'confluent'],
  ];
  for (const [value, cause, framing] of unreadables) {
    const keeper = route([ok], { keepsUnreadable: true });
    await keeper.work(record(value));
    const sent = received(keeper.sent[0]!);
    assert.deepEqual(sent.value, value);
    const letter = parseDeadLetter(sent.headers);
    assert.deepEqual([letter.stage, letter.cause, letter.framing], ['decode', cause, framing]);
    assert.doesNotMatch(letter.reason, /secret/);
    const other = route([ok]);
    await other.work(record(value));
    assert.deepEqual([other.skipped, other.sent], [['skipped'], []]);
  }
});

test('a record on a retry topic that says no owner is kept as a dead letter by whoever owns those', async () => {
  const keeper = route([ok], { owns: (owner) => owner === 'nobody' });
  await keeper.work(record(frame(9, Buffer.from(text)), { topic: 'd.retry-1' }));
  const letter = parseDeadLetter(received(keeper.sent[0]!).headers);
  assert.deepEqual(
    [letter.cause, letter.origin],
    ['header-invalid', { topic: 'd.retry-1', partition: 2, offset: 41n }],
  );
});

test('stop: a record that waits for its time or for the circuit is let go at once', async () => {
  const crm = route([login]);
  const working = crm.work(record(frame(9, Buffer.from(text))));
  await crm.clock.advance(10);
  crm.stopping.abort(new Error('stop'));
  await assert.rejects(working, /stop/);
});

test("a clock that is set back by a day: a record on a retry topic waits no longer than the last tier's, and one that is held its time", async () => {
  const crm = route([busy, ok]);
  await crm.work(record(frame(9, Buffer.from(text))));
  crm.clock.jump(-86_400_000);
  const waiting = crm.work(received(crm.sent[0]!));
  await crm.clock.advance(5000);
  assert.equal(crm.deliveries.length, 1, 'not before its time');
  await crm.clock.advance(61_000);
  assert.equal(crm.deliveries.length, 2, 'it waits longer');
  await waiting;

  // Nor is a wait cut by the clock of the broker, which stamps what is written.
  const fast = route([busy, ok]);
  await fast.work(record(frame(9, Buffer.from(text))));
  const retried = fast.work({ ...received(fast.sent[0]!), timestampMs: fast.clock.nowMs() + 600_000 });
  await fast.clock.advance(4999);
  assert.equal(fast.deliveries.length, 1, 'not before its time');
  await fast.clock.advance(1);
  await retried;

  const held = route([busy, ok], { blocking: true });
  const delivering = held.work(record(frame(9, Buffer.from(text))));
  await held.clock.advance(1000);
  held.clock.jump(-86_400_000);
  await held.clock.advance(4000);
  assert.equal(held.deliveries.length, 2);
  await delivering;
});
