import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { compress } from './codecs.ts';
import { fitsCompressed } from './fits-compressed.ts';

/** Words that come again and again: the more effort, the smaller they are packed. */
function text(): Buffer {
  let state = 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647);
  const words = Array.from({ length: 5000 }, () => next().toString(36));
  return Buffer.from(Array.from({ length: 50_000 }, () => words[next() % words.length]).join(' '));
}

test('a record is judged by what sending makes of it, and not by a better compression', async () => {
  const value = text();
  const sent = (await compress('zstd', value)).length;
  assert(zstdCompressSync(value).length < sent, 'the default is no better than what is sent');
  assert(fitsCompressed(value, sent, 'zstd'));
  assert(!fitsCompressed(value, sent - 1, 'zstd'));
  const zipped = (await compress('gzip', value)).length;
  assert(fitsCompressed(value, zipped, 'gzip') && !fitsCompressed(value, zipped - 1, 'gzip'));
});
