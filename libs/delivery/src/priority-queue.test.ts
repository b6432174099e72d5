import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PriorityQueue, type Lane, type Priority } from './priority-queue.ts';

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

test('law: where all wait, turns are shared by weight, and replays have their share', () => {
  const weight = fc.integer({ min: 1, max: 20 });
  const plan = fc.record({ weights: fc.record({ high: weight, normal: weight, low: weight }), percent: fc.nat(89) });
  fc.assert(
    fc.property(plan, ({ weights, percent }) => {
      const replay = (percent + 1) / 100;
      const queue = new PriorityQueue<{ lane: Lane }>({ weights, replay });
      const lanes: Lane[] = ['low', 'replay', 'normal', 'high'];
      for (const lane of lanes) queue.push(lane, { lane });
      const served = { high: 0, normal: 0, low: 0, replay: 0 };
      const turns = 1000;
      for (let turn = 0; turn < turns; turn += 1) {
        const { lane } = queue.shift()!;
        served[lane] += 1;
        queue.push(lane, { lane });
      }
      const live = turns - served.replay;
      assert.ok(Math.abs(served.replay - turns * replay) <= 2, JSON.stringify(served));
      const all = weights.high + weights.normal + weights.low;
      for (const tier of ['high', 'normal', 'low'] as const)
        assert.ok(Math.abs(served[tier] - (live * weights[tier]) / all) <= 3, JSON.stringify({ weights, served }));
    }),
    { numRuns: 50 },
  );
});

test('law: whoever waits has a turn within the bound that the weights give, whatever the others do', () => {
  const weights = { high: 16, normal: 4, low: 1 };
  const lane = fc.constantFrom<Lane>('high', 'normal', 'low', 'replay');
  const steps = fc.array(fc.record({ pushes: fc.array(lane, { maxLength: 4 }), mayReplay: fc.boolean() }), {
    minLength: 50,
    maxLength: 300,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom<Lane>('low', 'normal', 'replay'), (plan, watched) => {
      const queue = new PriorityQueue<{ lane: Lane; from: number }>({ weights, replay: 0.2 });
      let missed = 0;
      for (const { pushes, mayReplay } of plan) {
        for (const next of [...pushes, watched, 'normal' as const]) queue.push(next, { lane: next, from: 0 });
        const isAllowed = watched !== 'replay' || mayReplay;
        const isServed = queue.shift(mayReplay)!.lane === watched;
        if (isServed) missed = 0;
        else if (isAllowed) missed += 1;
        // low: 16 + 4 turns and one more of each tier, and a quarter as many replays; a replay: 4 of the tiers.
        const most = { low: 29, normal: 10, replay: 6 }[watched as 'low' | 'normal' | 'replay'];
        assert.ok(missed <= most, `${watched} missed ${missed} turns`);
      }
    }),
  );
});

test('replays that have no room are passed over, and save up no turns', () => {
  const queue = new PriorityQueue<{ lane: Lane }>();
  for (let i = 0; i < 100; i += 1) for (const lane of ['high', 'replay'] as const) queue.push(lane, { lane });
  for (let i = 0; i < 50; i += 1) assert.equal(queue.shift(false)!.lane, 'high');
  const next = Array.from({ length: 10 }, () => queue.shift()!.lane);
  assert.ok(next.filter((lane) => lane === 'replay').length <= 3, next.join());
  assert.equal(queue.has(false), true);
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
