import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairedRatio, spread } from './statistics.ts';

test('the median is the middle figure, or between the two in the middle, whatever their order', () => {
  assert.deepEqual(spread([3]), { median: 3, min: 3, max: 3 });
  assert.deepEqual(spread([9, 1, 5]), { median: 5, min: 1, max: 9 });
  assert.deepEqual(spread([10, 2, 4, 1]), { median: 3, min: 1, max: 10 });
  assert.equal(spread([]), undefined);
});

test('ratios are taken within a round: a slow round moves both figures and no ratio', () => {
  assert.deepEqual(pairedRatio([5, 50, 6], [10, 100, 12]), { median: 0.5, min: 0.5, max: 0.5 });
  assert.deepEqual(pairedRatio([1, 3, 2], [2, 2, 2]), { median: 1, min: 0.5, max: 1.5 });
});

test('a figure that the system does not tell has no ratio, and series of different rounds are no pair', () => {
  assert.equal(pairedRatio([0, 0], [0, 0]), undefined);
  assert.throws(() => pairedRatio([1], [1, 2]), /1 rounds beside 2/);
});
