import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODEC_NAMES, compress, decompress } from './codecs.ts';

const number = (name: (typeof CODEC_NAMES)[number]) => CODEC_NAMES.indexOf(name);
const records = Buffer.alloc(100_000, 'genesys ');

for (const name of ['gzip', 'zstd'] as const) {
  test(`${name}: what was packed comes back, up to the limit and no further`, async () => {
    const packed = await compress(name, records);
    assert.ok(packed.length < 1000);
    assert.deepEqual(await decompress(number(name), packed, records.length), records);
    await assert.rejects(decompress(number(name), packed, records.length - 1), { code: 'decompression-limit' });
    await assert.rejects(decompress(number(name), packed.subarray(5), 1e6), { code: 'record-batch-corrupt' });
  });
}

test('no compression costs nothing, and codecs that are not ours are told apart', async () => {
  assert.equal(await decompress(0, records, 1), records);
  for (const codec of [number('snappy'), number('lz4'), 7]) {
    await assert.rejects(decompress(codec, records, 1e6), { code: 'codec-unsupported' });
  }
});
