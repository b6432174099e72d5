import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TopicsError } from './errors.ts';
import { frame, unframe } from './framing.ts';

test('the frame is magic byte 0, a big-endian id, and the bytes', () => {
  assert.equal(frame(0x01020304, Buffer.from('{}')).toString('hex'), '00010203047b7d');
});

test('what was framed comes back, without sharing memory with what it was made of', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.uint8Array(), (schemaId, bytes) => {
      const original = Buffer.from(bytes);
      const framed = frame(schemaId, bytes);
      bytes.fill(0);
      const parts = unframe(framed);
      assert.equal(parts.schemaId, schemaId);
      assert.ok(parts.body.equals(original));
      assert.equal(parts.body.buffer, framed.buffer);
    }),
  );
});

test('each way of not being a frame has its own code, and is the record’s fault alone', () => {
  const cases = [
    [null, 'frame-missing'],
    [Buffer.from([0, 0, 0, 1]), 'frame-too-short'],
    [Buffer.alloc(0), 'frame-too-short'],
    [Buffer.from('{"a":1}'), 'frame-wrong-magic'],
  ] as const;
  for (const [value, code] of cases) {
    assert.throws(
      () => unframe(value),
      (error) => {
        assert.ok(error instanceof TopicsError);
        assert.deepEqual([error.code, error.retry, error.scope], [code, false, 'source']);
        return true;
      },
    );
  }
});
