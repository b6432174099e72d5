import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderOf } from './rounds.ts';

test('every round has every case, begins with another one, and turns pairs around', () => {
  const groups = [['a', 'a@rev'], ['b'], ['c'], ['d', 'd@rev'], ['e']];
  const orders = [0, 1, 2].map((round) => orderOf(groups, round));
  for (const order of orders) assert.deepEqual([...order].sort(), groups.flat().sort());
  assert.equal(new Set(orders.map(([first]) => first)).size, 3);
  assert.deepEqual(orders[0]!.slice(0, 2), ['a', 'a@rev']);
  const second = orders[1]!;
  assert.equal(second.indexOf('a@rev') + 1, second.indexOf('a'));
});
