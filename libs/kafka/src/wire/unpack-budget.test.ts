import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UnpackBudget } from './unpack-budget.ts';

const GZIP = 1;
const packed = gzipSync(Buffer.alloc(600));

test('the batches of one fetch share what it may unpack to: what does not fit any more waits for the next', async () => {
  const budget = new UnpackBudget(1000);
  assert.equal((await budget.unpack(GZIP, packed))?.length, 600);
  assert.equal(await budget.unpack(GZIP, packed), undefined);
  assert.equal(await budget.unpack(GZIP, gzipSync(Buffer.alloc(1))), undefined, 'nothing overtakes');
});

test('a batch that is larger than the whole is an error, and so is one that is broken, wherever it stands', async () => {
  await assert.rejects(new UnpackBudget(500).unpack(GZIP, packed), { code: 'decompression-limit' });
  const budget = new UnpackBudget(1000);
  await budget.unpack(GZIP, packed);
  await assert.rejects(budget.unpack(GZIP, packed.subarray(0, 12)), { code: 'record-batch-corrupt' });
});

test('with enough unpacked no further batch is begun, while the first may be as large as the whole', async () => {
  const budget = new UnpackBudget(1000, 500);
  assert.equal((await budget.unpack(GZIP, packed))?.length, 600);
  assert.equal(await budget.unpack(GZIP, gzipSync(Buffer.alloc(1))), undefined);
});
