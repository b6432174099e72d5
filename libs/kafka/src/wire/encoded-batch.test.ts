import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { records as arbitraryRecords } from '../../fixtures/outgoing-records.ts';
import { compress } from './codecs.ts';
import { BatchBuilder, decodeBatch } from './encoded-batch.ts';
import { EncodedHeaders, EncodedRecords } from './record-encoder.ts';

test('a batch holds the bytes that the same records are encoded to, with the common headers first', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryRecords, fc.boolean(), async (records, hasCommon) => {
      const common = { source: 'ä', '': 'x' };
      const builder = new BatchBuilder(undefined, hasCommon ? new EncodedHeaders(common) : undefined);
      for (const record of records) assert(builder.add(record));
      const whole = new EncodedRecords(
        // Names that are there twice would be one here.
        records.map((record) => ({
          ...record,
          headers: hasCommon ? { ...common, ...record.headers } : (record.headers ?? {}),
        })),
      );
      const expected = Buffer.alloc(whole.bytes);
      whole.writeTo(expected);
      const isRepeated = hasCommon && records.some(({ headers = {} }) => 'source' in headers || '' in headers);
      const batch = builder.build('none');
      assert.equal(batch.count, records.length);
      if (!isRepeated) assert.deepEqual(batch.bytes, expected);
      const packed = builder.build('zstd');
      if (!isRepeated) assert.deepEqual(packed.bytes, await compress('zstd', expected));
      assert.deepEqual(await builder.buildOnPool('zstd'), packed);
      assert.deepEqual(await decodeBatch(packed), await decodeBatch(batch));
    }),
  );
});

test('a batch is closed before it is larger than it may be, and takes one record of any size', async () => {
  const record = { key: 'k', value: Buffer.alloc(100) };
  const builder = new BatchBuilder(350);
  assert.deepEqual(
    Array.from({ length: 4 }, () => builder.add(record)),
    [true, true, true, false],
  );
  assert(builder.bytes <= 350);
  assert.equal(builder.build('none').count, 3);
  assert(new BatchBuilder(10).add(record));
});
