import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { unpackedSize } from './unpacked-size.ts';

const SIZES = [0, 1, 255, 256, 257, 65_791, 65_792, 1_000_000];

test('what was packed with its size known tells it, whatever field it stands in', () => {
  for (const size of SIZES) {
    const bytes = Buffer.alloc(size, 'ab');
    assert.equal(unpackedSize('gzip', gzipSync(bytes)), size);
    assert.equal(unpackedSize('zstd', zstdCompressSync(bytes, { pledgedSrcSize: size })), size);
  }
});

test('a size in eight bytes behind a dictionary’s id is found', () => {
  const frame = Buffer.alloc(18);
  frame.writeUInt32LE(0xfd2fb528, 0);
  frame[4] = 0xc0 | 0x03;
  frame.writeBigUInt64LE(5_000_000_000n, 10);
  assert.equal(unpackedSize('zstd', frame), 5_000_000_000);
  assert.equal(unpackedSize('zstd', frame.subarray(0, 17)), undefined);
});

test('a stream, and what is nothing of the kind, tell nothing', async () => {
  const stream = createZstdCompress();
  stream.end('ab'.repeat(1000));
  assert.equal(unpackedSize('zstd', await buffer(stream)), undefined);
  for (const codec of ['gzip', 'zstd'] as const)
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(100)])
      assert.equal(unpackedSize(codec, bytes), undefined);
});
