import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Turns } from './turns.ts';

test('never more at once than there are turns, and the next one goes when one ends', async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  let running = 0;
  const work = async (item: number) => {
    using _turn = await turns.take();
    running += 1;
    assert(running <= 2);
    order.push(item);
    await setImmediate();
    running -= 1;
  };
  await Promise.all([0, 1, 2, 3, 4].map(work));
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});
