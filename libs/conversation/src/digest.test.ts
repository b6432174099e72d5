import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { chain, chainStart, contentDigest } from './digest.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

test('a digest is the SHA-256 of the bytes, of a slice too', () => {
  // FIPS 180-4, the example of one block.
  assert.equal(
    contentDigest(Buffer.from('abc')).toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(50), (bytes, skip) => {
      const slice = Buffer.from(bytes).subarray(skip);
      assert.deepEqual(contentDigest(slice), sha256(slice));
    }),
  );
});

test('a chain is SHA-256(previous ‖ digest), and each link stays as it was when the next is made', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 }), (records) => {
      const links = [chainStart()];
      for (const record of records) links.push(chain(links.at(-1)!, contentDigest(record)));
      let expected = Buffer.alloc(32);
      records.forEach((record, index) => {
        expected = sha256(Buffer.concat([expected, sha256(record)]));
        assert.deepEqual(links[index + 1], expected);
      });
    }),
  );
});

test('a chain tells a changed, dropped, added or reordered record', () => {
  const end = (records: readonly string[]) =>
    records.reduce((link, record) => chain(link, contentDigest(Buffer.from(record))), chainStart()).toString('hex');
  const ends = [
    ['a', 'b', 'c'],
    ['a', 'c', 'b'],
    ['a', 'b'],
    ['a', 'b', 'c', ''],
    ['ab', 'c'],
    ['a', 'b', 'd'],
    [],
  ].map(end);
  assert.equal(new Set(ends).size, ends.length);
});

test('a link of another length is refused, as it would read as a different split', () => {
  assert.throws(() => chain(Buffer.alloc(31), Buffer.alloc(32)), RangeError);
  assert.throws(() => chain(Buffer.alloc(32), Buffer.alloc(33)), RangeError);
});
