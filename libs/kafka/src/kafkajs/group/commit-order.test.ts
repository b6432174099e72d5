import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommitOrder } from './commit-order.ts';

const PLACES = [0, 1].map((partition) => ({ topic: 't', partition }));

/** A commit that tries twice, some time apart, as kafkajs does; resolves with what it was told each time. */
async function commitOf(order: CommitOrder, partitions: typeof PLACES): Promise<boolean[]> {
  const told: boolean[] = [];
  await order.run(partitions, async () => {
    told.push(order.isWanted());
    await new Promise<void>((resolve) => setImmediate(resolve));
    told.push(order.isWanted());
  });
  return told;
}

test('a commit is tried again while it is the latest of each of its partitions', async () => {
  const order = new CommitOrder();
  const [both, first] = [commitOf(order, PLACES), commitOf(order, PLACES.slice(0, 1))];
  assert.deepEqual(await both, [true, false]);
  assert.deepEqual(await first, [true, true]);
  const apart = PLACES.map((place) => commitOf(order, [place]));
  assert.deepEqual(await Promise.all(apart), [
    [true, true],
    [true, true],
  ]);
});

test('a commit of an earlier generation is not tried again', async () => {
  const order = new CommitOrder();
  const earlier = commitOf(order, PLACES);
  order.joined();
  assert.deepEqual(await earlier, [true, false]);
  assert.deepEqual(await commitOf(order, PLACES), [true, true]);
});
