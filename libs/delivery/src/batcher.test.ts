import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { Batcher } from './batcher.ts';
import { SinkGate } from './sink-gate.ts';
import type { BatchLimits, Delivery, DeliveryOutcome, Sink } from './sink.ts';

const never = new AbortController().signal;
const both = { stopping: never, signal: never };
const delivered: DeliveryOutcome = { kind: 'delivered' };
const delivery = (key: string, bytes = 10): Delivery => ({
  route: 'r',
  body: Buffer.alloc(bytes),
  key,
  idempotencyKey: key,
  recordVersion: 1n,
  contentType: 'application/json',
});

/** A sink that keeps the keys of its batches and answers as told, here over a real gate. */
function setUp(
  batch: Partial<BatchLimits>,
  answer: (keys: readonly string[], signal: AbortSignal) => Promise<readonly DeliveryOutcome[]> | undefined = () =>
    undefined,
  concurrency = 1,
) {
  const clock = new ManualClock();
  const gate = new SinkGate({
    concurrency,
    breaker: { errors: 1, over: 1, cooldownMs: 1000, maxWaitMs: 300_000 },
    clock,
  });
  const batches: string[][] = [];
  const sink: Sink = {
    batch: { records: 100, bytes: 1000, ageMs: 0, ...batch },
    deliver: async (records, signal) => {
      const keys = records.map(({ key }) => key);
      batches.push(keys);
      return answer(keys, signal) ?? keys.map(() => delivered);
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const answers: number[] = [];
  const onAnswer = (outcomes: readonly DeliveryOutcome[]) => answers.push(outcomes.length);
  return { clock, gate, batches, answers, batcher: new Batcher({ sink, gate, lane: 'normal', clock, onAnswer }) };
}

const rejected = (key: string): DeliveryOutcome => ({ kind: 'rejected', failure: { cause: key, reason: '' } });

test('law: each record gets its own outcome, once, and no batch is over its bounds', async () => {
  const limits = fc.record({
    records: fc.integer({ min: 1, max: 5 }),
    bytes: fc.integer({ min: 1, max: 50 }),
    ageMs: fc.constantFrom(0, 10),
  });
  const arrivals = fc.array(fc.record({ atMs: fc.nat(30), bytes: fc.integer({ min: 1, max: 60 }) }), { maxLength: 40 });
  const plan = fc.record({ limits, arrivals, concurrency: fc.integer({ min: 1, max: 3 }), takesMs: fc.nat(8) });
  await fc.assert(
    fc.asyncProperty(plan, async ({ limits: bounds, arrivals: all, concurrency, takesMs }) => {
      const { clock, batches, answers, batcher } = setUp(
        bounds,
        async (keys) => {
          await clock.sleep(takesMs);
          return keys.map(rejected);
        },
        concurrency,
      );
      const outcomes = all.map(async ({ atMs, bytes }, index) => {
        await clock.sleep(atMs);
        return batcher.deliver(delivery(String(index), bytes), both);
      });
      await clock.advance(5000);
      const causes = (await Promise.all(outcomes)).map((one) => one.kind === 'rejected' && one.failure.cause);
      assert.deepEqual(
        causes,
        all.map((_, index) => String(index)),
      );
      assert.equal(
        answers.reduce((sum, count) => sum + count, 0),
        all.length,
      );
      for (const keys of batches) {
        const bytes = keys.reduce((sum, key) => sum + all[Number(key)]!.bytes, 0);
        assert.ok(keys.length <= bounds.records && (keys.length === 1 || bytes <= bounds.bytes));
      }
    }),
    { numRuns: 60 },
  );
});

test('age 0: what gathers while a request is out goes in the next, in the order in which it came', async () => {
  const { clock, batches, batcher } = setUp({}, async (keys) => {
    await clock.sleep(10);
    return keys.map(() => delivered);
  });
  const all = [batcher.deliver(delivery('a'), both)];
  await clock.advance(1);
  for (const key of ['b', 'c', 'd']) all.push(batcher.deliver(delivery(key), both));
  await clock.advance(20);
  await Promise.all(all);
  assert.deepEqual(batches, [['a'], ['b', 'c', 'd']]);
});

test('a batch is closed by count, by bytes, or when its first record is old enough', async () => {
  const { clock, batches, batcher } = setUp({ records: 3, bytes: 100, ageMs: 50 });
  const all = ['a', 'b', 'c', 'd'].map(async (key) => batcher.deliver(delivery(key), both));
  await clock.advance(0);
  assert.deepEqual(batches, [['a', 'b', 'c']], 'by count, at once');
  await clock.advance(49);
  all.push(batcher.deliver(delivery('e', 95), both));
  await clock.advance(0);
  assert.deepEqual(batches.slice(1), [['d']], 'by bytes: the next would not fit');
  await clock.advance(49);
  all.push(batcher.deliver(delivery('f', 1), both));
  assert.equal(batches.length, 2);
  await clock.advance(1);
  assert.deepEqual(batches.slice(2), [['e', 'f']], 'by age');
  await Promise.all(all);
});

test('an open circuit is told to each record, and nothing was sent', async () => {
  const { clock, gate, batches, batcher } = setUp({ ageMs: 5 });
  gate.trip(1000, { cause: 'http-429', reason: '' });
  const all = ['a', 'b'].map(async (key) => batcher.deliver(delivery(key), both));
  await clock.advance(5);
  assert.deepEqual(await Promise.all(all), [
    { kind: 'circuit-open', retryInMs: 995 },
    { kind: 'circuit-open', retryInMs: 995 },
  ]);
  assert.deepEqual(batches, []);
});

test('stopping takes a record out of a batch that waits, and leaves one alone that is on its way', async () => {
  const { clock, batches, batcher } = setUp({}, async (keys) => {
    await clock.sleep(10);
    return keys.map(() => delivered);
  });
  const stop = new AbortController();
  const ending = { stopping: stop.signal, signal: never };
  const sent = batcher.deliver(delivery('a'), ending);
  await clock.advance(1);
  const gone = batcher.deliver(delivery('b'), ending);
  const stays = batcher.deliver(delivery('c'), both);
  stop.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  await assert.rejects(batcher.deliver(delivery('d'), ending), /stop/);
  await clock.advance(30);
  assert.deepEqual([await sent, await stays], [delivered, delivered]);
  assert.deepEqual(batches, [['a'], ['c']]);
});

test('a batch that all have left is withdrawn: nobody is sent with it or after it', async () => {
  const { clock, batches, batcher } = setUp({ ageMs: 50 });
  const stop = new AbortController();
  const gone = batcher.deliver(delivery('a'), { stopping: stop.signal, signal: never });
  stop.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  const next = batcher.deliver(delivery('b'), both);
  await clock.advance(50);
  assert.deepEqual(await next, delivered);
  assert.deepEqual(batches, [['b']]);
});

test('an abort lets its record go at once; the request ends when nobody is left in it', async () => {
  let requests: AbortSignal | undefined;
  const { clock, batcher } = setUp({}, async (_, signal) => {
    requests = signal;
    return new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error)));
  });
  const aborts = [new AbortController(), new AbortController()];
  const all = aborts.map(async ({ signal }, index) =>
    batcher.deliver(delivery(`k${index}`), { stopping: never, signal }),
  );
  await clock.advance(0);
  aborts[0]!.abort(new Error('late'));
  await assert.rejects(all[0]!, /late/);
  aborts[1]!.abort(new Error('late too'));
  await assert.rejects(all[1]!, /late too/);
  await clock.advance(0);
  assert.equal(requests!.aborted, true);
});

test("one record a request: it goes as it comes, and its own signal is the request's", async () => {
  let seen: AbortSignal | undefined;
  const { clock, batches, batcher } = setUp(
    { records: 1 },
    async (keys, signal) => {
      seen = signal;
      await clock.sleep(10);
      return keys.map(() => delivered);
    },
    2,
  );
  const { signal } = new AbortController();
  const all = ['a', 'b', 'c'].map(async (key) => batcher.deliver(delivery(key), { stopping: never, signal }));
  await clock.advance(0);
  assert.deepEqual(batches, [['a'], ['b']]);
  assert.equal(seen, signal);
  await clock.advance(20);
  assert.deepEqual(await Promise.all(all), [delivered, delivered, delivered]);
});

test('a sink that does not answer for each record is a bug that says so', async () => {
  const { batcher } = setUp({}, async () => []);
  await assert.rejects(batcher.deliver(delivery('a'), both), /0 outcomes for 1 records/);
});
