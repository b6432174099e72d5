import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from './errors.ts';
import { ManualClock } from './manual-clock.ts';
import { retry } from './retry.ts';

const backoff = { initialMs: 100, factor: 2, maxMs: 300, jitterMs: 0 };

test('waits the backoff or the time the other side named, whichever is longer', async () => {
  const clock = new ManualClock();
  const waits: number[] = [];
  const failures = [{}, { retryAfterMs: 5000 }, {}];
  const result = retry(
    async (attempt) => {
      const failure = failures[attempt];
      if (failure) throw new OperationalError('busy', 'busy', { retry: true, ...failure });
      return attempt;
    },
    { attempts: 10, backoff, clock, onRetry: (_error, _attempt, waitMs) => waits.push(waitMs) },
  );
  await clock.advance(10_000);
  assert.equal(await result, 3);
  assert.deepEqual(waits, [100, 5000, 300]);
});

test('does not retry what nobody called retryable', async () => {
  let calls = 0;
  const failing = async (error: Error) =>
    retry(
      async () => {
        calls += 1;
        throw error;
      },
      { attempts: 5, backoff, clock: new ManualClock() },
    );
  await assert.rejects(failing(new TypeError('bug')), /bug/);
  await assert.rejects(failing(new OperationalError('no', 'no')), /no/);
  assert.equal(calls, 2);
});
