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

test('calls that take long end by the time that is allowed, whatever attempts are left', async () => {
  const clock = new ManualClock();
  let calls = 0;
  const slow = async () => {
    calls += 1;
    await clock.sleep(1000);
    throw new OperationalError('busy', 'busy', { retry: true });
  };
  const result = assert.rejects(retry(slow, { attempts: 100, backoff, maxElapsedMs: 3000, clock }), { code: 'busy' });
  await clock.advance(60_000);
  await result;
  assert.equal(calls, 3);
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
