import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { frameHeader } from '@genesys-kafka/topics';
import { fitsAsKey, maxSendBytes, ValueEncoder, type Target } from './value-encoder.ts';

const target: Target = { topic: 't', partitions: 1, maxMessageBytes: 128 * 1024 };
const most = maxSendBytes(target);

test('a valid record is its frame and its own bytes, not copied; a dead letter is the bytes alone', () => {
  const encoder = new ValueEncoder(7, 'none');
  const bytes = Buffer.from('{"conversationId":"a"}');
  const [frame, body] = encoder.encode(bytes, target)!;
  assert.deepEqual(frame, frameHeader(7));
  assert.equal(body, bytes);
  assert.deepEqual(encoder.encodeDeadLetter(bytes, target), { framing: 'none', value: bytes });
  assert.equal(encoder.encodeDeadLetter(undefined, target).value, null);
});

test('what is measured is what will be sent: a larger record passes if it fits compressed, and not otherwise', () => {
  const text = Buffer.alloc(most + 1, 'a');
  for (const compression of ['zstd', 'gzip'] as const) {
    assert(new ValueEncoder(1, compression).encode(text, target), compression);
    assert.equal(new ValueEncoder(1, compression).encode(randomBytes(2 * most), target), undefined);
  }
  const plain = new ValueEncoder(1, 'none');
  assert.equal(plain.encode(text, target), undefined);
  assert.equal(plain.encodeDeadLetter(text, target).value, null);
  assert(plain.encode(text.subarray(1), target));
});

test('a key is measured in bytes', () => {
  assert.equal(fitsAsKey('ä'.repeat(4096)), true);
  assert.equal(fitsAsKey('ä'.repeat(4097)), false);
});
