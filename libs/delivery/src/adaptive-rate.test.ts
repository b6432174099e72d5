import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { AdaptiveRate } from './adaptive-rate.ts';
import { SinkGate, type SinkGateOptions } from './sink-gate.ts';
import type { DeliveryOutcome } from './sink.ts';

const never = new AbortController().signal;
const tooMany = (retryAfterMs: number): DeliveryOutcome => ({
  kind: 'retry',
  failure: { cause: 'http-429', reason: '', httpStatus: 429 },
  ...(retryAfterMs > 0 ? { retryAfterMs } : {}),
});

/** A target that takes `perSecond` requests in any second, and answers 429 to the others. */
function target(clock: ManualClock) {
  let taken: number[] = [];
  return (perSecond: number) => {
    const nowMs = clock.monotonicMs();
    taken = taken.filter((atMs) => atMs > nowMs - 1000);
    if (taken.length >= perSecond) return false;
    taken.push(nowMs);
    return true;
  };
}

/** As many callers as would be in flight, each of which sends as soon as it may; counts by second. */
function load(options: Partial<SinkGateOptions>, limitAt: (second: number) => number, retryAfterMs = 0) {
  const clock = new ManualClock();
  const breaker = { errors: 0.5, over: 20, cooldownMs: 30_000, maxWaitMs: 300_000 };
  const gate = new SinkGate({ concurrency: 8, breaker, clock, ...options });
  const takes = target(clock);
  const seconds: { taken: number; refused: number }[] = [];
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      const answer = await gate.run('normal', never, async () => {
        const second = Math.floor(clock.monotonicMs() / 1000);
        const count = (seconds[second] ??= { taken: 0, refused: 0 });
        const isTaken = takes(limitAt(second));
        count[isTaken ? 'taken' : 'refused'] += 1;
        await clock.sleep(10);
        return [isTaken ? { kind: 'delivered' } : tooMany(retryAfterMs)];
      });
      if ('kind' in answer) await clock.sleep(answer.retryInMs);
    }
  };
  const callers = Array.from({ length: 16 }, caller);
  const run = async (forSeconds: number) => {
    await clock.advance(forSeconds * 1000);
    isOver = true;
    await clock.advance(60_000);
    await Promise.all(callers);
    gate.close();
  };
  const between = (from: number, to: number) => {
    const some = Array.from({ length: to - from }, (_, i) => seconds[from + i] ?? { taken: 0, refused: 0 });
    const taken = some.reduce((sum, one) => sum + one.taken, 0);
    const refused = some.reduce((sum, one) => sum + one.refused, 0);
    return { perSecond: taken / (to - from), refusedShare: refused / Math.max(1, taken + refused) };
  };
  return { gate, run, between };
}

test('law: a target that takes N a second is found, with or without a configured rate: few 429, and most of what it takes', async () => {
  const plan = fc.record({
    limit: fc.constantFrom(10, 30, 100),
    configured: fc.constantFrom(undefined, 2, 20),
    retryAfterMs: fc.constantFrom(0, 1000),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ limit, configured, retryAfterMs }) => {
      const rate = configured && { max: configured * limit, perMs: 1000 };
      const { run, between, gate } = load(rate ? { rate } : {}, () => limit, retryAfterMs);
      await run(90);
      const { perSecond, refusedShare } = between(20, 90);
      const found = JSON.stringify({ limit, configured, retryAfterMs, perSecond, refusedShare });
      assert.ok(refusedShare < 0.03, found);
      assert.ok(perSecond >= 0.8 * limit, found);
      assert.equal(gate.state, 'closed', 'a target that works at a lower rate is not down');
    }),
    { numRuns: 6 },
  );
});

test('a limit that falls is followed down, one that rises is found again, and the configured rate is never passed', async () => {
  const limitAt = (second: number) => (second < 30 ? 100 : second < 90 ? 20 : 1000);
  const { run, between } = load({ rate: { max: 100, perMs: 1000 } }, limitAt);
  await run(260);
  assert.ok(between(60, 90).perSecond >= 16, JSON.stringify(between(60, 90)));
  assert.ok(between(60, 90).refusedShare < 0.03, JSON.stringify(between(60, 90)));
  assert.ok(between(230, 260).perSecond >= 95, JSON.stringify(between(230, 260)));
  for (let second = 0; second < 260; second += 1) assert.ok(between(second, second + 1).perSecond <= 100);
});

test('a target that was busy for a moment has its old rate back within half a minute', async () => {
  let requests = 0;
  // One request in six is refused for 2.5 seconds, whatever the rate.
  const { run, between } = load({}, (second) => (second < 3 && (requests += 1) % 6 === 0 ? 0 : 100_000), 1000);
  await run(60);
  assert.ok(between(3, 6).perSecond < 100, JSON.stringify(between(3, 6)));
  assert.ok(between(40, 60).perSecond >= 700, JSON.stringify(between(40, 60)));
});

test('a first burst of which a target takes a part slows down, and opens no circuit', async () => {
  const breaker = { errors: 0.5, over: 10, cooldownMs: 30_000, maxWaitMs: 300_000 };
  const { gate, run, between } = load({ concurrency: 16, breaker }, () => 12);
  const changes: string[] = [];
  gate.onChange((state) => changes.push(state));
  await run(30);
  assert.deepEqual(changes, []);
  assert.ok(between(5, 30).perSecond >= 0.8 * 12, JSON.stringify(between(5, 30)));
});

test('a target that answers 429 to everything opens the circuit: slowing down is of no use', async () => {
  const { gate, run, between } = load({}, (second) => (second < 5 ? 100 : 0));
  await run(20);
  assert.notEqual(gate.state, 'closed');
  assert.ok(between(5, 20).refusedShare === 1);
  const refused = Array.from({ length: 15 }, (_, i) => between(5 + i, 6 + i).refusedShare).filter((share) => share > 0);
  assert.ok(refused.length <= 8, 'most seconds nothing is sent');
});

test('law: the rate stays between floor and maximum, and a refusal of what left before the last decrease lowers nothing', () => {
  const answer = fc.record({ gapMs: fc.nat(500), tookMs: fc.nat(300), isTaken: fc.boolean() });
  const bounds = fc.record({
    floor: fc.double({ min: 0.01, max: 5, noNaN: true }),
    max: fc.constantFrom(10, 500, Infinity),
  });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 300 }), bounds, (answers, { floor, max }) => {
      const rate = new AdaptiveRate({ floor, max });
      let nowMs = 0;
      let decreasedMs = -Infinity;
      for (const { gapMs, tookMs, isTaken } of answers) {
        nowMs += gapMs;
        const before = rate.perSecond ?? max;
        if (isTaken) rate.taken(nowMs - tookMs, nowMs);
        else rate.refused(nowMs - tookMs, nowMs);
        const after = rate.perSecond ?? max;
        assert.ok(after >= floor && after <= max, `${after}`);
        if (isTaken) assert.ok(after >= before);
        else if (nowMs - tookMs < decreasedMs) assert.equal(after, before);
        else if (after < before) decreasedMs = nowMs;
      }
    }),
  );
});

test('without a 429 nothing is limited', () => {
  const rate = new AdaptiveRate({ floor: 0.1, max: Infinity });
  for (let ms = 0; ms < 10_000; ms += 1) {
    assert.equal(rate.waitMs(ms), 0);
    rate.started(ms);
    rate.taken(ms, ms);
  }
  assert.equal(rate.perSecond, undefined);
});

test('replays never have more than their share of the requests in flight, and live records go on', async () => {
  const clock = new ManualClock();
  const breaker = { errors: 0.5, over: 20, cooldownMs: 30_000, maxWaitMs: 300_000 };
  const gate = new SinkGate({ concurrency: 10, breaker, clock });
  let [replays, most, live] = [0, 0, 0];
  const replay = async () =>
    gate.run('replay', never, async () => {
      replays += 1;
      most = Math.max(most, replays);
      await clock.sleep(30_000);
      replays -= 1;
      return [{ kind: 'delivered' }];
    });
  const all = Array.from({ length: 50 }, replay);
  await clock.advance(0);
  const lives = Array.from({ length: 100 }, async () =>
    gate.run('low', never, async () => {
      await clock.sleep(10);
      live += 1;
      return [{ kind: 'delivered' }];
    }),
  );
  await clock.advance(200);
  assert.deepEqual({ most, live }, { most: 2, live: 100 });
  await clock.advance(30_000 * 30);
  await Promise.all([...all, ...lives]);
  gate.close();
});
