import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { mapConcurrently } from './map-concurrently.ts';

const never = new AbortController().signal;

test('law: results stand in the order of the items, and never more than `concurrency` are worked on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      async (turns, limit) => {
        let running = 0;
        let most = 0;
        const results = await mapConcurrently([...turns.entries()], limit, never, async ([index, count]) => {
          running += 1;
          most = Math.max(most, running);
          for (let turn = 0; turn < count; turn += 1) await setImmediate();
          running -= 1;
          return index;
        });
        assert.deepEqual(results, [...turns.keys()]);
        assert(most <= limit);
        assert.equal(most, Math.min(limit, turns.length), 'it could have done more at once');
      },
    ),
    { numRuns: 30 },
  );
});

test('the first failure stops the others, nothing new is begun, and it is thrown when all have ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const failing = mapConcurrently([0, 1, 2, 3], 2, never, async (item, signal) => {
    begun.push(item);
    await setImmediate();
    if (item === 0) throw new Error('first');
    while (!signal.aborted) await setImmediate();
    await setImmediate();
    ended.push(item);
    signal.throwIfAborted();
  });
  await assert.rejects(failing, /first/);
  assert.deepEqual([begun, ended], [[0, 1], [1]]);
});

test('an abort from outside is the reason that is thrown, whatever the work makes of it', async () => {
  const abort = new AbortController();
  const done: number[] = [];
  const running = mapConcurrently([0, 1, 2], 1, abort.signal, async (item, signal) => {
    await setImmediate();
    if (item === 0) abort.abort(new Error('stopped'));
    done.push(item);
    if (signal.aborted) throw new Error('echo');
  });
  await assert.rejects(running, /stopped/);
  assert.deepEqual(done, [0]);
});

test('no items, no work; an abort beforehand begins nothing', async () => {
  assert.deepEqual(await mapConcurrently([], 4, never, () => assert.fail()), []);
  const aborted = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(
    mapConcurrently([1], 1, aborted, () => assert.fail()),
    /stopped/,
  );
});
