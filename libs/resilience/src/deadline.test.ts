import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { settledWithin, unlessAborted, untilAborted, within } from './deadline.ts';

const never = () => new Promise<never>(() => undefined);

test('within: the answer that comes in time, the failure that does, and the error of lateness', async () => {
  assert.equal(await within(Promise.resolve(1), 1000, () => new Error('late')), 1);
  await assert.rejects(
    within(Promise.reject(new Error('own')), 1000, () => new Error('late')),
    /own/,
  );
  await assert.rejects(
    within(never(), 1, () => new Error('late')),
    /late/,
  );
});

test('settledWithin: never rejects, and does not wait for ever', async () => {
  await settledWithin(Promise.reject(new Error('own')), 1000);
  await settledWithin(never(), 1);
});

test('unlessAborted: the abort wins over work without an end, and no listener stays behind', async () => {
  const abort = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(1), abort.signal), 1);
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  const pending = unlessAborted(never(), abort.signal);
  abort.abort(new Error('stop'));
  await assert.rejects(pending, /stop/);
  await assert.rejects(unlessAborted(never(), abort.signal), /stop/);
  assert.equal(await unlessAborted(Promise.resolve(2), undefined), 2);
});

test('untilAborted: rejects with the reason, at once where the abort has been', async () => {
  const abort = new AbortController();
  const waiting = untilAborted(abort.signal);
  abort.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
  await assert.rejects(untilAborted(abort.signal), /stop/);
});
