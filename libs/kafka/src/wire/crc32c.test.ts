import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';

const theirs = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C/crc32C.js') as (
  bytes: Buffer,
) => number;

test('the checksum of "123456789" is the check value of CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('law: it is what a byte after the other gives, wherever the bytes lie in their memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, from) => {
      const lying = Buffer.from(bytes).subarray(from);
      assert.equal(crc32c(lying), theirs(lying));
    }),
  );
});
