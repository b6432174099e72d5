import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrder } from './in-order.ts';

test('law: results come in the order of their items, however their work ends, and no more is under way than may be', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.nat({ max: 12 }), fc.nat({ max: 4 }), async (scheduler, count, ahead) => {
      const items = Array.from({ length: count }, (_, index) => index);
      let [underWay, most] = [0, 0];
      const work = async (item: number) => {
        most = Math.max(most, (underWay += 1));
        await scheduler.schedule(Promise.resolve());
        underWay -= 1;
        return item * 2;
      };
      const found: number[] = [];
      const reading = (async () => {
        for await (const one of inOrder(items, ahead, work)) found.push(one);
      })();
      await scheduler.waitFor(reading);
      assert.deepEqual(
        found,
        items.map((item) => item * 2),
      );
      assert.ok(most <= ahead + 1, `${most} at once`);
      if (count > ahead) assert.equal(most, ahead + 1, 'as many as may be');
    }),
  );
});

test('a failure is met at its turn, after what came before it, and is no unhandled one where nobody comes to it', async () => {
  const work = async (item: number) => (item === 1 ? Promise.reject(new Error('gone')) : Promise.resolve(item));
  const found: number[] = [];
  await assert.rejects(async () => {
    for await (const one of inOrder([0, 1, 2], 3, work)) found.push(one);
  }, /gone/);
  assert.deepEqual(found, [0]);
  for await (const one of inOrder([0, 1, 2], 3, work)) {
    assert.equal(one, 0);
    break;
  }
  await new Promise((resolve) => setImmediate(resolve));
});
