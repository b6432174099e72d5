import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapAhead } from './map-ahead.ts';

test('work runs ahead by the depth and no further, and results keep their order', async () => {
  let started = 0;
  let taken = 0;
  const work = async (item: number) => {
    started += 1;
    assert(started - taken <= 3, 'it ran further ahead than asked');
    for (let turn = 0; turn < 5 - item; turn += 1) await Promise.resolve();
    return item * 10;
  };
  const results: number[] = [];
  for await (const result of mapAhead([0, 1, 2, 3, 4], 2, work)) {
    taken += 1;
    results.push(result);
  }
  assert.deepEqual(results, [0, 10, 20, 30, 40]);
});

test('a failure comes in its place', async () => {
  const results: number[] = [];
  const failing = async () => {
    const work = async (item: number) => (item === 2 ? Promise.reject(new Error('the third')) : item);
    for await (const result of mapAhead([0, 1, 2, 3], 2, work)) results.push(result);
  };
  await assert.rejects(failing(), /the third/);
  assert.deepEqual(results, [0, 1]);
});
