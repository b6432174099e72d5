import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { prefetch } from './prefetch.ts';

/** Counts what was asked of it, and whether it was closed. */
function source(items: number, failAt = Number.POSITIVE_INFINITY) {
  const seen = { made: 0, isClosed: false };
  async function* make() {
    try {
      for (let item = 0; item < items; item += 1) {
        if (item === failAt) throw new Error('broken');
        seen.made += 1;
        yield item;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, items: make() };
}

test('passes every item in order, and ends with the source', async () => {
  const { seen, items } = source(5);
  const taken: number[] = [];
  for await (const item of prefetch(items, 2)) taken.push(item);
  assert.deepEqual(taken, [0, 1, 2, 3, 4]);
  assert(seen.isClosed);
});

test('while an item is being worked on, at most `depth` more and the one being made are read', async () => {
  for (const depth of [0, 1, 3]) {
    const { seen, items } = source(100);
    let taken = 0;
    for await (const item of prefetch(items, depth)) {
      taken += 1;
      assert.equal(item, taken - 1);
      await setImmediate();
      assert(seen.made <= taken + depth, `depth ${depth}: ${seen.made} made when ${taken} were taken`);
      if (taken > 1) assert(seen.made >= taken + Math.min(depth, 1), `depth ${depth}: nothing was read ahead`);
      if (taken === 10) break;
    }
  }
});

test('a failure comes in its place: after the items before it', async () => {
  const { items } = source(10, 3);
  const taken: number[] = [];
  await assert.rejects(async () => {
    for await (const item of prefetch(items, 5)) taken.push(item);
  }, /broken/);
  assert.deepEqual(taken, [0, 1, 2]);
});

test('leaving early closes the source, also when what was read ahead has failed', async () => {
  for (const failAt of [Number.POSITIVE_INFINITY, 2]) {
    const { seen, items } = source(10, failAt);
    for await (const item of prefetch(items, 4)) if (item === 1) break;
    assert(seen.isClosed);
    const { made } = seen;
    await setImmediate();
    assert.equal(seen.made, made, 'it goes on behind the caller’s back');
  }
});
