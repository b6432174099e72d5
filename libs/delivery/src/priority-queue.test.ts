import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PriorityQueue, type Priority } from './priority-queue.ts';

const drain = <T extends object>(queue: PriorityQueue<T>) => Array.from({ length: queue.size }, () => queue.shift());

test('higher tiers go first, each tier in the order of asking', () => {
  const queue = new PriorityQueue<{ name: string }>();
  for (const [tier, name] of [
    ['low', 'l'],
    ['high', 'h1'],
    ['normal', 'n'],
    ['high', 'h2'],
  ] as const)
    queue.push(tier, { name });
  assert.deepEqual(
    drain(queue).map((item) => item?.name),
    ['h1', 'h2', 'n', 'l'],
  );
  assert.equal(queue.shift(), undefined);
});

test('a steady stream of high starves neither normal nor low', () => {
  const queue = new PriorityQueue<{ tier: Priority }>();
  for (let i = 0; i < 50; i += 1) for (const tier of ['low', 'normal'] as const) queue.push(tier, { tier });
  const served = { high: 0, normal: 0, low: 0 };
  for (let turn = 0; turn < 340; turn += 1) {
    queue.push('high', { tier: 'high' });
    served[queue.shift()!.tier] += 1;
  }
  assert.ok(served.low >= 18 && served.normal >= 18 && served.high >= 290, JSON.stringify(served));
});

test('law: nothing is lost or doubled, and within a tier order is kept, whatever is added, taken or aborted', () => {
  const action = fc.oneof(
    fc.record({ push: fc.constantFrom<Priority>('high', 'normal', 'low') }),
    fc.constant('shift' as const),
    fc.record({ abort: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const queue = new PriorityQueue<{ id: number; tier: Priority }>();
      const waiting = new Map<number, { id: number; tier: Priority }>();
      let id = 0;
      for (const next of [...actions, ...Array<'shift'>(200).fill('shift')]) {
        if (next === 'shift') {
          const item = queue.shift();
          assert.equal(item === undefined, waiting.size === 0);
          if (!item) continue;
          const first = [...waiting.values()].find(({ tier }) => tier === item.tier);
          assert.equal(item, first);
          waiting.delete(item.id);
        } else if ('push' in next) {
          const item = { id: (id += 1), tier: next.push };
          waiting.set(item.id, item);
          queue.push(item.tier, item);
        } else {
          const item = [...waiting.values()][next.abort % Math.max(1, waiting.size)];
          if (item)
            assert.deepEqual(
              queue.take((one) => one === item),
              [item],
            );
          if (item) waiting.delete(item.id);
        }
      }
      assert.equal(queue.size, 0);
    }),
  );
});
