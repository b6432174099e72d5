import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContentIdentity } from './content-identity.ts';

const MIB = 1024 * 1024;

function identity(content: Buffer, of: { readonly bytes?: number; readonly crc32?: number }, pieceBytes = MIB): string {
  const found = new ContentIdentity();
  for (let at = 0; at < content.length; at += pieceBytes) found.push(content.subarray(at, at + pieceBytes));
  return found.end({ bytes: content.length, crc32: 1, ...of });
}

test('length, CRC-32 and the first MiB each make another content; how it came in pieces does not', () => {
  const content = Buffer.alloc(2 * MIB, 'a');
  const one = identity(content, {});
  const changedAt = (at: number) => {
    const changed = Buffer.from(content);
    changed[at] = 0;
    return identity(changed, {});
  };
  assert.equal(identity(content, {}, 1000), one);
  assert.notEqual(identity(content, { bytes: content.length + 1 }), one);
  assert.notEqual(identity(content, { crc32: 2 }), one);
  assert.notEqual(changedAt(0), one);
  assert.notEqual(changedAt(MIB - 1), one);
  // What lies behind the first MiB is told by length and CRC-32.
  assert.equal(changedAt(MIB), one);
});
