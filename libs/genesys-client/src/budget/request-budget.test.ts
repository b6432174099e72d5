import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { RateLimitedServer, worker, type LimitOptions } from '../../fixtures/rate-limited-server.ts';
import type { rateHeadersOf } from './rate-headers.ts';
import { RequestBudget } from './request-budget.ts';

const WINDOWS = 4;

interface Run {
  readonly limit: Omit<LimitOptions, 'clock'>;
  /** Processes that share the limit, with so many workers each. */
  readonly members: number;
  readonly workers: number;
  readonly perSecond: number;
  readonly maxLatencyMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

async function played(run: Run): Promise<RateLimitedServer> {
  const clock = new ManualClock();
  const server = new RateLimitedServer({ ...run.limit, clock });
  const stop = new AbortController();
  const latencyMs = () => Math.ceil(run.random() * run.maxLatencyMs);
  const ports = { clock, latencyMs, signal: stop.signal };
  const working = Array.from({ length: run.members }, () => {
    const budget = new RequestBudget({ perSecond: run.perSecond, maxHoldMs: 600_000, clock });
    budget.setShare(1 / run.members);
    return Array.from({ length: run.workers }, () => worker(budget, server, ports));
  }).flat();
  const ended = Promise.allSettled(working);
  await clock.advance(WINDOWS * 60_000);
  stop.abort(new Error('the run is over'));
  await ended;
  return server;
}

const seeded = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((seed) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647;
    return state / 2_147_483_647;
  };
});

const limits = fc.record({
  allowed: fc.integer({ min: 60, max: 600 }),
  isAligned: fc.boolean(),
  round: fc.constantFrom(Math.ceil, Math.floor, Math.round),
});

test('whatever the latencies, no 429 after the first second, and at least 90 % of what is allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.integer({ min: 20, max: 60 }),
      fc.integer({ min: 1, max: 1200 }),
      fc.integer({ min: 10, max: 200 }),
      seeded,
      async (limit, workers, maxLatencyMs, perSecond, random) => {
        // As many as the workers can ask for at all: three waits of half the latency for each request.
        const asked = Math.min(perSecond, workers / (0.0015 * maxLatencyMs)) * 60;
        const server = await played({ limit, members: 1, workers, perSecond, maxLatencyMs, random });
        const late = server.refusedMs.filter((atMs) => atMs > 1000);
        assert.deepEqual(late, [], `refused at ${late.join(', ')} ms`);
        const share = server.accepted / (Math.min(asked, limit.allowed) * WINDOWS);
        assert.ok(share >= 0.9, `${server.accepted} requests are ${Math.round(share * 100)} %`);
      },
    ),
    { numRuns: 25 },
  );
});

test('processes that share a limit and see only their own requests and its count do not meet it either', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 1000 }),
      seeded,
      async (limit, members, maxLatencyMs, random) => {
        const server = await played({ limit, members, workers: 20, perSecond: 60, maxLatencyMs, random });
        const late = server.refusedMs.filter((atMs) => atMs > 1000);
        assert.deepEqual(late, [], `refused at ${late.join(', ')} ms`);
        const share = server.accepted / (limit.allowed * WINDOWS);
        assert.ok(share >= 0.8, `${server.accepted} requests are ${Math.round(share * 100)} %`);
      },
    ),
    { numRuns: 15 },
  );
});

test('answers that make no sense are neither a stall nor no limit: what may be is counted here', async () => {
  const odd = fc.constantFrom<ReturnType<typeof rateHeadersOf>>(
    'absent',
    'unreadable',
    { count: 0, allowed: 60, resetSeconds: 0 },
    { count: 1e9, allowed: 60, resetSeconds: 3 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(odd, { minLength: 1, maxLength: 4 }), seeded, async (answers, random) => {
      let nth = 0;
      const says = () => answers[nth++ % answers.length]!;
      const limit = { allowed: 1e9, says };
      const server = await played({ limit, members: 1, workers: 20, perSecond: 10, maxLatencyMs: 100, random });
      // The slowest of these lies asks for a wait of four seconds after each call; ten a second always holds.
      assert.ok(server.accepted >= 12 * WINDOWS, `${server.accepted} requests`);
      assert.ok(server.accepted <= 10 * WINDOWS * 60 + 10, `${server.accepted} requests`);
      if (answers.every((said) => said === 'unreadable')) {
        assert.ok(server.accepted <= 300 * WINDOWS, `${server.accepted} requests without a readable limit`);
      }
    }),
    { numRuns: 15 },
  );
});

function budgetOf(perSecond = 100) {
  const clock = new ManualClock();
  const budget = new RequestBudget({ perSecond, maxHoldMs: 600_000, clock });
  const grantedMs: number[] = [];
  const ask = async () => {
    const turn = await budget.turn(true);
    grantedMs.push(clock.monotonicMs());
    return turn;
  };
  return { ask, budget, clock, grantedMs };
}

test('half of a window goes as fast as it may, the rest is spread over the rest of it, and the next begins anew', async () => {
  const { ask, clock, grantedMs } = budgetOf();
  let count = 0;
  const one = async () => {
    const turn = await ask();
    const window = Math.floor(clock.monotonicMs() / 60_000);
    count = Math.floor((grantedMs.at(-2) ?? 0) / 60_000) === window ? count + 1 : 1;
    turn.answered({ count, allowed: 40, resetSeconds: 60 - Math.floor((clock.monotonicMs() % 60_000) / 1000) }, false);
    turn.done();
  };
  const all = (async () => {
    for (let n = 0; n < 60; n += 1) await one();
  })();
  await clock.advance(120_000);
  await all;
  const first = grantedMs.filter((atMs) => atMs < 60_000);
  assert.equal(first.length, 40);
  assert.ok(first[19]! < 1000, `half of it took until ${first[19]} ms`);
  const gaps = first.slice(22).map((atMs, index) => atMs - first[index + 21]!);
  for (const gap of gaps) assert.ok(gap > 2000 && gap < 4000, `${gap} ms between two calls`);
  const second = grantedMs.filter((atMs) => atMs >= 60_000);
  assert.equal(second.length, 20);
  assert.ok(second[18]! < 64_000, `${second[18]} ms`);
});

test('a share that changes holds from then on, for those that wait too; a share that is none is refused', async () => {
  const { ask, budget, clock, grantedMs } = budgetOf(2);
  budget.setShare(1 / 20);
  const all = Array.from({ length: 6 }, async () => (await ask()).answered('absent', false));
  await clock.advance(25_000);
  assert.deepEqual(grantedMs, [0, 10_000, 20_000]);
  budget.setShare(1);
  await clock.advance(1000);
  await Promise.all(all);
  assert.deepEqual(grantedMs, [0, 10_000, 20_000, 25_000, 25_000, 26_000]);
  for (const share of [0, -1, 1.5, Number.NaN]) assert.throws(() => budget.setShare(share), RangeError);
});

test('more members than requests: each still gets one a window', async () => {
  const { ask, budget, clock, grantedMs } = budgetOf();
  budget.setShare(1 / 50);
  const said = { count: 1, allowed: 10, resetSeconds: 60 };
  const all = (async () => {
    for (let n = 0; n < 3; n += 1) (await ask()).answered(said, false);
  })();
  await clock.advance(200_000);
  await all;
  assert.equal(grantedMs.length, 3);
});

test('a refusal holds all for as long as it says, then one goes ahead; unnamed waits grow until one is accepted', async () => {
  const { ask, budget, clock, grantedMs } = budgetOf();
  const [one, other] = [await ask(), ask()];
  one.answered('absent', true);
  assert.equal(one.refused(30_000), 30_000);
  one.done();
  const refused = await settledAfter(clock, other, 30_000);
  const rest = [ask(), ask()];
  await clock.advance(500);
  // The answer to the first one after the pause is waited for.
  assert.deepEqual(grantedMs, [0, 30_000]);
  refused.answered('absent', true);
  const waits = [refused.refused(undefined)];
  refused.done();
  await clock.advance(waits[0]!);
  const next = await rest[0]!;
  next.answered('absent', true);
  waits.push(next.refused(undefined));
  next.done();
  assert.deepEqual(waits, [10_000, 20_000]);
  await clock.advance(20_000);
  const last = await rest[1]!;
  last.answered('absent', false);
  last.done();
  const again = await ask();
  again.answered('absent', true);
  assert.equal(again.refused(undefined), 5000);
  assert.ok(budget.state.waitedMs > 60_000);
});

async function settledAfter<T>(clock: ManualClock, work: Promise<T>, ms: number): Promise<T> {
  await clock.advance(ms);
  return work;
}

test('a first call that nobody answers holds the others for a second', async () => {
  const { ask, clock, grantedMs } = budgetOf();
  const all = Array.from({ length: 4 }, ask);
  await clock.advance(5000);
  await Promise.all(all);
  assert.deepEqual(grantedMs, [0, 1000, 1000, 1000]);
});

test('calls on their way count as made, whatever the last answer said', async () => {
  const { ask, clock, grantedMs } = budgetOf();
  const first = await ask();
  const others = Array.from({ length: 40 }, ask);
  await clock.advance(999);
  assert.deepEqual(grantedMs, [0]);
  await clock.advance(1);
  first.answered({ count: 1, allowed: 60, resetSeconds: 60 }, false);
  await clock.advance(1000);
  // 41 were let go before anything was known; of the 59 that are left, all may be among them.
  const more = Array.from({ length: 40 }, ask);
  await clock.advance(30_000);
  assert.ok(grantedMs.length < 60, `${grantedMs.length} of ${1 + others.length + more.length} calls`);
});

test('a window that has ended is not known to have ended: one call goes ahead', async () => {
  const { ask, clock, grantedMs } = budgetOf();
  (await ask()).answered({ count: 60, allowed: 60, resetSeconds: 9 }, false);
  const waiting = Array.from({ length: 3 }, ask);
  await clock.advance(10_000);
  assert.deepEqual(grantedMs, [0, 10_000]);
  (await waiting[0]!).answered({ count: 60, allowed: 60, resetSeconds: 1 }, false);
  await clock.advance(1999);
  assert.equal(grantedMs.length, 2);
  await clock.advance(1);
  (await waiting[1]!).answered({ count: 1, allowed: 60, resetSeconds: 60 }, false);
  await waiting[2];
  assert.deepEqual(grantedMs, [0, 10_000, 12_000, 12_000]);
});
