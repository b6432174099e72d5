import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseTier, nextStep, type RetryPolicy } from './retry-policy.ts';
import type { DeliveryOutcome } from './sink.ts';

const tiersMs = [5000, 60_000, 600_000];
const failure = { cause: 'http-503', reason: 'the target answered 503', httpStatus: 503 };
const limited = { cause: 'http-429', reason: 'the target answered 429', httpStatus: 429 };
const retry = (retryAfterMs?: number, why = failure): DeliveryOutcome => ({
  kind: 'retry',
  failure: why,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const step = (attempt: number, outcome: DeliveryOutcome, random = 0) =>
  nextStep({ attempt, outcome, policy: { tiersMs, maxAttempts: 4 }, nowMs: 1000, random: () => random });

test('a conflict is what the route says, and nothing else is', () => {
  const rejected = (httpStatus: number): DeliveryOutcome => ({
    kind: 'rejected',
    failure: { cause: `http-${httpStatus}`, reason: 'x', httpStatus },
  });
  const kind = (conflict: RetryPolicy['conflict'], outcome: DeliveryOutcome, attempt = 1) => {
    const policy = { tiersMs, maxAttempts: 4, ...(conflict === undefined ? {} : { conflict }) };
    return nextStep({ attempt, outcome, policy, nowMs: 1000 }).kind;
  };
  const choices = [undefined, 'dead-letter', 'delivered', 'retry'] as const;
  assert.deepEqual(
    choices.map((conflict) => kind(conflict, rejected(409))),
    ['dead-letter', 'dead-letter', 'done', 'retry'],
  );
  assert.equal(kind('retry', rejected(409), 4), 'dead-letter', 'the last attempt');
  for (const conflict of choices) assert.equal(kind(conflict, rejected(422)), 'dead-letter');
});

const tiers = fc
  .uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 6 })
  .map((list) => list.sort((a, b) => a - b));

test('law: the tier chosen is the smallest whose delay covers the wait', () => {
  fc.assert(
    fc.property(tiers, fc.integer({ min: 0, max: 2_000_000 }), (list, waitMs) => {
      const tier = chooseTier(list, waitMs);
      if (tier === 'beyond') assert.ok(list.every((ms) => ms < waitMs));
      else assert.ok(list[tier]! >= waitMs && list.slice(0, tier).every((ms) => ms < waitMs));
    }),
  );
});

test('law: a retry is never due before its tier, Retry-After and now, and jitter adds at most a tenth', () => {
  const input = fc.record({
    attempt: fc.integer({ min: 1, max: 8 }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 2_000_000 }), { nil: undefined }),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    maxAttempts: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(tiers, input, (list, { attempt, retryAfterMs, random, maxAttempts }) => {
      const policy = { tiersMs: list, maxAttempts };
      const next = nextStep({
        attempt,
        outcome: retry(retryAfterMs, limited),
        policy,
        nowMs: 1000,
        random: () => random,
      });
      if (next.kind === 'retry') {
        const delayMs = list[next.tier]!;
        assert.equal(next.attempt, attempt + 1);
        assert.ok(next.notBeforeMs >= 1000 + Math.max(delayMs, retryAfterMs ?? 0));
        assert.ok(next.notBeforeMs <= 1000 + delayMs * 1.1 + 1);
      } else if (next.kind === 'held') {
        assert.ok(attempt < maxAttempts && list.every((ms) => ms < (retryAfterMs ?? 0)));
      } else {
        assert.ok(next.kind === 'dead-letter' && next.exhausted);
        assert.ok(attempt >= maxAttempts || list.length === 0);
      }
    }),
  );
});

test('each attempt waits a tier longer, then the record is a dead letter', () => {
  const due = (attempt: number) => {
    const next = step(attempt, retry());
    return next.kind === 'retry' ? [next.tier, next.notBeforeMs] : next.kind;
  };
  assert.deepEqual([1, 2, 3, 4].map(due), [[0, 6000], [1, 61_000], [2, 601_000], 'dead-letter']);
});

test('Retry-After picks a longer tier, and beyond the largest it is the sink that waits', () => {
  const after = (ms: number) => step(1, retry(ms));
  assert.deepEqual(after(5001), { kind: 'retry', tier: 1, notBeforeMs: 61_000, attempt: 2, failure });
  assert.deepEqual(step(1, retry(600_001, limited)), { kind: 'held', attempt: 2 });
  assert.equal(step(4, retry(600_001)).kind, 'dead-letter');
});

test('a rejected record is a dead letter at once, a refusal of us burns no attempt', () => {
  assert.deepEqual(step(1, { kind: 'rejected', failure }), { kind: 'dead-letter', exhausted: false, failure });
  assert.deepEqual(step(3, { kind: 'misconfigured', failure }), { kind: 'held', attempt: 3 });
  assert.deepEqual(step(1, { kind: 'delivered' }), { kind: 'done' });
});

test("one record's 503 with a Retry-After beyond the tiers waits in the largest, and stops nobody else", () => {
  assert.deepEqual(step(1, retry(1_790_000_000_000)), {
    kind: 'retry',
    tier: 2,
    notBeforeMs: 601_000,
    attempt: 2,
    failure,
  });
});
