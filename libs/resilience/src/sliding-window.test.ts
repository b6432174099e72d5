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

test('an aborted wait frees its place', async () => {
  const clock = new ManualClock();
  const window = new SlidingWindow({ max: 1, perMs: 500, clock });
  await window.acquire();
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

test('a call with leave holds its place until it begins, and one that is repeated counts again', async () => {
  const clock = new ManualClock();
  const window = new SlidingWindow({ max: 2, perMs: 1000, clock });
  const [slow, quick] = [await window.permit(), await window.permit()];
  quick.begun();
  const next = window.permit().then((permit) => (permit.done(), clock.monotonicMs()));
  await clock.advance(300);
  slow.begun();
  slow.done();
  await clock.advance(699);
  const last = window.permit().then((permit) => (permit.done(), clock.monotonicMs()));
  await clock.advance(1000);
  assert.deepEqual(await Promise.all([next, last]), [1000, 1300]);
  await clock.advance(1000);
  const twice = await window.permit();
  twice.begun();
  twice.begun();
  const begunMs = clock.monotonicMs();
  const after = window.permit().then(() => clock.monotonicMs() - begunMs);
  await clock.advance(1000);
  assert.equal(await after, 1000);

  const never = new SlidingWindow({ max: 1, perMs: 1000, clock });
  await never.permit();
  const abort = new AbortController();
  const waiting = never.permit(abort.signal);
  await clock.advance(5000);
  abort.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
});
