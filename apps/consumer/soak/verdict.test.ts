import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, newestOf } from './verdict.ts';

const sample = (name: string) => ({ conversationId: name[0]!, n: Number(name.slice(1)) });
const samples = (names: string) => names.split(' ').map(sample);
const published = samples('a0 b0 a1 a2 b1');

test('all of it, repeats and other conversations in between: nothing is wrong', () => {
  const found = samples('b0 a0 a1 a0 a1 a2 b1');
  assert.deepEqual(judge(published, found, { inOrder: true }), { faults: [], repeats: 2 });
});

test('what is missing, what nobody published, what is there twice and what is out of order is named', () => {
  const found = samples('a0 b0 a2 a1 a1 c0');
  const { faults, repeats } = judge(published, found, { once: true, inOrder: true });
  assert.deepEqual(faults, [
    'a 1 came after version 2',
    'c 0 was never published',
    'b 1 is missing',
    'a 1 is there 2 times',
  ]);
  assert.equal(repeats, 1);
});

test('the newest version of each', () => {
  assert.deepEqual(newestOf(published), samples('a2 b1'));
});
