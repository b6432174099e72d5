import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ID_WORDS, packId } from './packed-id.ts';

function packed(text: string, before = '', after = ''): string {
  const bytes = Buffer.from(before + text + after);
  const id = new Int32Array(ID_WORDS);
  const from = Buffer.byteLength(before);
  packId(bytes, from, from + Buffer.byteLength(text), id);
  const all = Buffer.alloc(16);
  id.forEach((word, index) => all.writeInt32BE(word, index * 4));
  return all.toString('hex');
}

test('a UUID is its own 16 bytes, wherever it lies', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.string(), fc.string(), (uuid, before, after) => {
      assert.equal(packed(uuid, before, after), uuid.replaceAll('-', ''));
    }),
  );
});

test('any other text is hashed: what differs in case, in a dash, in a digit or in length is another id', () => {
  const uuid = '6f1c2f9a-0b1d-4c3e-8a7b-9d0e1f2a3b4c';
  const others = [
    uuid.toUpperCase(),
    uuid.replace('-', '0'),
    uuid.replace('6', 'g'),
    uuid.replace('6', 'é'),
    uuid.replaceAll('-', ''),
    `${uuid} `,
    uuid.slice(1),
    '',
  ];
  for (const text of others) {
    const digest = createHash('sha256').update(text).digest('hex');
    assert.equal(packed(text, 'before', 'after'), digest.slice(0, 32), text);
  }
  assert.equal(new Set([uuid, ...others].map((text) => packed(text))).size, others.length + 1);
});
