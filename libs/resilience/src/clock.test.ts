import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';

test('a sleep longer than a timer of Node can be is a sleep all the same', async () => {
  const abort = new AbortController();
  let woke = false;
  const sleeping = systemClock.sleep(30 * 86_400_000, abort.signal).then(
    () => (woke = true),
    (error: unknown) => error,
  );
  // A timer that Node finds too long fires after one millisecond.
  await systemClock.sleep(20);
  assert.equal(woke, false);
  abort.abort(new Error('enough'));
  assert.match(String(await sleeping), /enough/);
});
