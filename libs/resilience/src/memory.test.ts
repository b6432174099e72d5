import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack } from './memory.ts';

test('memory goes back whole, once; what others may have stays', () => {
  const own = Buffer.alloc(100_000, 'x');
  giveBack(own.subarray(5, 10));
  giveBack(own);
  assert.equal(own.length, 0);

  const pooled = Buffer.from('of the pool');
  const shared = Buffer.from(new SharedArrayBuffer(8));
  const empty = Buffer.alloc(0);
  for (const bytes of [pooled, shared, empty]) giveBack(bytes);
  assert.equal(pooled.toString(), 'of the pool');
  assert.equal(shared.length, 8);
  assert.equal(Buffer.from(empty.buffer).length, 0, 'an empty one can still be used');
});
