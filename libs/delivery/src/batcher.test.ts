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
  headers: {},
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
  await gate.run('normal', never, async () => [{ kind: 'misconfigured', failure: { cause: 'http-401', reason: '' } }]);
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

test('law: of a request refused as a whole, only the records at fault are rejected, in a bounded number of requests', async () => {
  const plan = fc.record({
    bad: fc.uniqueArray(fc.nat(39), { maxLength: 40 }),
    count: fc.integer({ min: 1, max: 40 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ bad, count, concurrency }) => {
      const guilty = new Set(bad.map(String));
      let inFlight = 0;
      const { clock, batches, answers, batcher } = setUp(
        {},
        async (keys) => {
          inFlight += 1;
          assert.ok(inFlight <= concurrency, 'each half waits for its turn');
          await clock.sleep(1);
          inFlight -= 1;
          const refused = { ...rejected('http-422'), ...(keys.length > 1 ? { ofSeveral: true } : {}) };
          return keys.map(() => (keys.some((key) => guilty.has(key)) ? (refused as DeliveryOutcome) : delivered));
        },
        concurrency,
      );
      const all = Array.from({ length: count }, async (_, key) => batcher.deliver(delivery(String(key)), both));
      await clock.advance(5000);
      const kinds = (await Promise.all(all)).map(({ kind }) => kind);
      const expected = Array.from({ length: count }, (_, key) => (guilty.has(String(key)) ? 'rejected' : 'delivered'));
      assert.deepEqual(kinds, expected);
      const faults = expected.filter((kind) => kind === 'rejected').length;
      const most = Math.min(2 * count - 1, 1 + 2 * faults * Math.ceil(Math.log2(count)));
      assert.ok(batches.length <= most, `${batches.length} requests, ${most} allowed`);
      assert.equal(
        answers.reduce((sum, settled) => sum + settled, 0),
        count,
        'each record is counted once',
      );
    }),
    { numRuns: 60 },
  );
});

test('a circuit that opens between the halves leaves the rest unsent, and their time is not over', async () => {
  const { clock, gate, batches, batcher } = setUp({}, async (keys) => {
    await clock.sleep(1);
    if (keys.length === 4) return keys.map(() => ({ ...rejected('http-400'), ofSeveral: true }) as DeliveryOutcome);
    return keys.map(() => ({ kind: 'retry', failure: { cause: 'http-503', reason: '' } }));
  });
  const all = ['a', 'b', 'c', 'd'].map(async (key) => batcher.deliver(delivery(key), both));
  await clock.advance(10);
  assert.equal(gate.state, 'open');
  assert.deepEqual(batches, [
    ['a', 'b', 'c', 'd'],
    ['a', 'b'],
  ]);
  assert.deepEqual(
    (await Promise.all(all)).map(({ kind }) => kind),
    ['retry', 'retry', 'circuit-open', 'circuit-open'],
  );
});

test('of a partition that is given up while its request is out, no half is sent, and the others go on', async () => {
  const leaving = new AbortController();
  const { clock, batches, batcher } = setUp({}, async (keys) => {
    await clock.sleep(10);
    return keys.map(() => (keys.length > 2 ? { ...rejected('http-400'), ofSeveral: true as const } : delivered));
  });
  const given = ['a', 'b'].map(async (key) =>
    batcher.deliver(delivery(key), { stopping: leaving.signal, signal: never }),
  );
  const kept = ['c', 'd'].map(async (key) => batcher.deliver(delivery(key), both));
  await clock.advance(5);
  leaving.abort(new Error('given up'));
  const ends = Promise.allSettled(given);
  await clock.advance(50);
  assert.ok((await ends).every(({ status }) => status === 'rejected'));
  assert.deepEqual(await Promise.all(kept), [delivered, delivered]);
  assert.deepEqual(batches, [['a', 'b', 'c', 'd'], ['c'], ['d']]);
});

test('hurried, a batch waits for no more company, but takes along what comes before its turn', async () => {
  const { clock, batches, batcher } = setUp({ ageMs: 60_000 });
  const sent = ['a', 'b'].map(async (key) => batcher.deliver(delivery(key), both));
  await clock.advance(1000);
  assert.deepEqual(batches, []);
  batcher.hurry();
  sent.push(batcher.deliver(delivery('c'), both));
  await Promise.all(sent);
  assert.deepEqual(batches, [['a', 'b', 'c']]);
  batcher.hurry();
  const late = batcher.deliver(delivery('d'), both);
  await clock.advance(1000);
  assert.equal(batches.length, 1, 'there was nothing to hurry');
  await clock.advance(60_000);
  await late;
});
