import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { deliveries } from '../../../fixtures/deliveries.ts';
import { httpSink } from '../../../fixtures/http-target.ts';
import { listen } from '../../../fixtures/listen.ts';
import { answerText } from './answer-text.ts';

const never = new AbortController().signal;

/** Kibibyte. */
const MOST = 1024;

test('an answer is read however it is packed, and with a mark of its byte order', () => {
  for (const [coding, pack] of [
    [undefined, (bytes: Buffer) => bytes],
    ['identity', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const) {
    const headers = coding === undefined ? {} : { 'content-encoding': coding };
    for (const text of ['{"ä":1}', '']) assert.equal(answerText(headers, pack(Buffer.from(text)), MOST), text, coding);
    assert.equal(answerText(headers, pack(Buffer.from('\ufeff[]')), MOST), '[]', coding);
  }
});

test('of one that breaks off what came is read; one that is too large, or packed otherwise than it says, is none', () => {
  const some = 'one two three four five six seven eight nine ten eleven twelve';
  const headers = { 'content-encoding': 'gzip' };
  const read = answerText(headers, gzipSync(some).subarray(0, -12), MOST);
  assert.ok(read.length > 0 && some.startsWith(read), read);
  assert.equal(answerText(headers, gzipSync('x'.repeat(MOST + 1)), MOST), '');
  assert.equal(answerText(headers, Buffer.from(some), MOST), '');
});

test('what became of each record, and the token before it, are read from answers that nobody asked to be packed', async (t) => {
  const packed = (value: unknown) =>
    createServer((request, response) => {
      const body = gzipSync(JSON.stringify(value));
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
      });
    });
  const login = await listen(t, packed({ access_token: 'a', token_type: 'bearer' }));
  const target = await listen(t, packed([{ status: 201 }, { status: 422 }]));
  const sink = httpSink(t, {
    url: `http://127.0.0.1:${target}`,
    batch: { records: 2, bytes: MOST, ageMs: 0 },
    answers: { items: '', status: '/status' },
    auth: {
      ...{ type: 'oauth', tokenUrl: `http://127.0.0.1:${login}`, clientId: 'id', clientSecret: 's' },
      credentials: 'body',
    },
  });
  const kinds = (await sink.deliver(deliveries(2), never)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['delivered', 'rejected']);
});
