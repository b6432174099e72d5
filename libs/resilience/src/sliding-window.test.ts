import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from './manual-clock.ts';
import { SlidingWindow } from './sliding-window.ts';

test('never grants more than max in any window', async () => {
  const clock = new ManualClock();
  const window = new SlidingWindow({ max: 3, perMs: 1000, clock });
  const granted: number[] = [];
  const all = Array.from({ length: 10 }, () => window.acquire().then(() => granted.push(clock.monotonicMs())));
  await clock.advance(5000);
  await Promise.all(all);
  assert.deepEqual(granted, [0, 0, 0, 1000, 1000, 1000, 2000, 2000, 2000, 3000]);
});

test('a hold delays every permit, and an aborted wait frees its place', async () => {
  const clock = new ManualClock();
  const window = new SlidingWindow({ max: 1, perMs: 10, clock });
  window.hold(500);
  const abort = new AbortController();
  const gone = window.acquire(abort.signal);
  const kept = window.acquire();
  await clock.advance(100);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  await clock.advance(400);
  await kept;
  assert.equal(clock.monotonicMs(), 500);
});
