import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapAhead } from './map-ahead.ts';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let item = 0; item < count; item += 1) yield item;
}

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
  for await (const result of mapAhead(numbers(5), 2, work)) {
    taken += 1;
    results.push(result);
  }
  assert.deepEqual(results, [0, 10, 20, 30, 40]);
});

test('a failure comes in its place, and nothing that comes after it is handed out', async () => {
  for (const depth of [0, 1, 2, 10]) {
    const results: number[] = [];
    const failing = async () => {
      const work = async (item: number) => (item === 2 ? Promise.reject(new Error('the third')) : item);
      for await (const result of mapAhead(numbers(8), depth, work)) results.push(result);
    };
    await assert.rejects(failing(), /the third/);
    assert.deepEqual(results, [0, 1]);
  }
});

test('when the source of the items fails, what came before it is handed out first', async () => {
  async function* source() {
    yield* numbers(3);
    throw new Error('the source broke');
  }
  for (const depth of [0, 1, 2, 10]) {
    const results: number[] = [];
    const failing = async () => {
      for await (const result of mapAhead(source(), depth, async (item) => item)) results.push(result);
    };
    await assert.rejects(failing(), /the source broke/);
    assert.deepEqual(results, [0, 1, 2]);
  }
});

test('a reader that leaves early closes the source', async () => {
  let isClosed = false;
  async function* source() {
    try {
      yield* numbers(10);
    } finally {
      isClosed = true;
    }
  }
  for await (const result of mapAhead(source(), 2, async (item) => item)) if (result === 1) break;
  assert(isClosed);
});
