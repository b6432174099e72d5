import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { murmur2, partitionFor } from './partitioner.ts';

/** Printed by org.apache.kafka.common.utils.Utils.murmur2 of kafka-clients 4.1; the partition of six. */
const VECTORS: readonly (readonly [key: string, hash: number, partitionOfSix: number])[] = [
  ['', 275646681, 3],
  ['a', -1563381124, 4],
  ['ab', 316155434, 2],
  ['abc', 479470107, 3],
  ['abcd', -1323649548, 2],
  ['21', -973932308, 0],
  ['foobar', -790332482, 0],
  ['a-little-bit-long-string', -985981536, 2],
  ['a-little-bit-longer-string', -1486304829, 5],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, 5],
  ['5a8b3c1e-0d2f-4e6a-9b7c-8d1e2f3a4b5c', -1288922754, 2],
  ['grün-☃-🙂', -995474331, 5],
];

test('hashes and partitions are those of the Java client', () => {
  for (const [key, hash, partition] of VECTORS) {
    assert.equal(murmur2(Buffer.from(key)), hash, key);
    assert.equal(partitionFor(key, 6), partition, key);
  }
  assert.equal(murmur2(Uint8Array.of(0xff, 0x80, 0x7f, 0xfe, 0x81, 0x90, 0xaa)), -1605432980);
});

test('every key has a partition, the same one as text and as bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1000 }), (key, partitions) => {
      const partition = partitionFor(key, partitions);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      assert.equal(partitionFor(Buffer.from(key, 'utf8'), partitions), partition);
    }),
  );
});
