import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextSpool } from './text-spool.ts';

test('a text is made once, whatever the order, and comes back as it was', async () => {
  const spool = await TextSpool.open(4);
  const made: number[] = [];
  const text = (index: number) =>
    spool.text(index, () => {
      made.push(index);
      return `{"n":${index},"text":"${'ä€😀'.repeat(index * 1000)}"}`;
    });
  const first = [2, 0, 3].map(text);
  assert.deepEqual([2, 0, 3].map(text), first);
  assert.equal(text(1), text(1));
  assert.deepEqual(made, [2, 0, 3, 1]);
  await spool.close();
});
