import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildZip } from '../../fixtures/build-zip.ts';
import { assertWhole, CONTENT, download, ETAG, QUICK, type Try } from '../../fixtures/download.ts';
import { serve, status, type Answer } from '../../fixtures/file-server.ts';
import { compareValidators } from './validators.ts';

const OLD = Buffer.from(CONTENT).fill(1);
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';
const LATER = 'Fri, 02 Jan 2026 00:00:00 GMT';
const LENGTH = CONTENT.length;

/** Answers a range with a part of its own choosing, and the whole file otherwise. */
const part =
  (code: number, body: Buffer, headers: Record<string, string>): Answer =>
  (request, response) => {
    if (request.headers.range === undefined) serve(CONTENT)(request, response);
    else response.writeHead(code, headers).end(body);
  };
const rest = CONTENT.subarray(100_000);
const range = (first: number, last: number, total: number | string = LENGTH) => ({
  'content-range': `bytes ${first}-${last}/${total}`,
});

test('a 206 that does not prove to be of the same object is not joined to what is on disk', async () => {
  const kept: [name: string, first: object, answer: Record<string, string>][] = [
    ['date changed', { lastModified: DATE }, { 'last-modified': LATER }],
    ['date gone', { lastModified: DATE }, {}],
    ['ETag gone', { etag: ETAG }, {}],
    ['ETag gone, date there', { etag: ETAG }, { 'last-modified': DATE }],
    ['ETag weak', { etag: ETAG }, { etag: `W/${ETAG}` }],
    ['ETag changed', { etag: ETAG }, { etag: '"two"' }],
    [
      'weak ETag changed, date same',
      { etag: 'W/"one"', lastModified: DATE },
      { etag: 'W/"two"', 'last-modified': DATE },
    ],
  ];
  for (const [name, first, answer] of kept) {
    for (const total of [LENGTH, '*']) {
      const headers = { ...answer, ...range(100_000, LENGTH - 1, total) };
      const result = await download([serve(OLD, { ...first, resetAfter: 100_000 }), part(206, rest, headers)]);
      assertWhole(result);
      assert.deepEqual(
        result.requests.map((request) => request.range),
        [undefined, 'bytes=100000-', undefined],
        name,
      );
    }
  }
  const noTotal = part(206, rest, { 'last-modified': DATE, ...range(100_000, LENGTH - 1, '*') });
  const result = await download([serve(OLD, { lastModified: DATE, resetAfter: 100_000 }), noTotal]);
  assertWhole(result);
});

test('bytes past the end that a part has named are not taken for the file', async () => {
  const first = serve(CONTENT, { etag: ETAG, resetAfter: 100_000 });
  const tooMuch = Buffer.concat([CONTENT.subarray(100_000, 150_000), OLD.subarray(150_000)]);
  const result = await download([first, part(206, tooMuch, { etag: ETAG, ...range(100_000, 149_999) })]);
  assertWhole(result);
});

test('a part that says less of its version does not make another version pass after it', async () => {
  const dated = { 'last-modified': DATE };
  const result = await download([
    serve(OLD, { etag: 'W/"one"', lastModified: DATE, resetAfter: 100_000 }),
    part(206, OLD.subarray(100_000, 150_000), { ...dated, ...range(100_000, 149_999) }),
    part(206, CONTENT.subarray(150_000), { ...dated, etag: 'W/"two"', ...range(150_000, LENGTH - 1) }),
  ]);
  assertWhole(result);
  assert.equal(result.requests.length, 4);
});

test('a 200 that answers a range with the rest alone is not the whole file', async () => {
  const length = { 'content-length': String(rest.length) };
  for (const headers of [
    { etag: ETAG, ...range(100_000, LENGTH - 1) },
    { etag: ETAG, ...length, ...range(100_000, LENGTH - 1) },
    { etag: ETAG, ...length },
    length,
    { etag: ETAG },
    { etag: ETAG, 'content-range': 'garbage' },
  ] as Record<string, string>[]) {
    const result = await download([serve(CONTENT, { etag: ETAG, resetAfter: 100_000 }), part(200, rest, headers)]);
    assertWhole(result);
    assert.equal(result.requests.length, 3, JSON.stringify(headers));
  }
});

test('a lawful part is used: shorter, from earlier, or the whole file', async () => {
  const first = serve(CONTENT, { etag: ETAG, resetAfter: 100_000 });
  const send = (from: number, to: number): Answer =>
    part(206, CONTENT.subarray(from, to), { etag: ETAG, ...range(from, to - 1) });
  const shorter = await download([first, send(100_000, 150_000), send(150_000, 151_000), send(151_000, LENGTH)]);
  assertWhole(shorter);
  assert.deepEqual(
    shorter.requests.map((request) => request.range),
    [undefined, 'bytes=100000-', 'bytes=150000-', 'bytes=151000-'],
  );
  for (const from of [99_000, 0]) {
    const result = await download([first, send(from, LENGTH)]);
    assertWhole(result);
    assert.equal(result.requests.length, 2);
  }
  const known = await download([first, part(206, rest, { etag: ETAG, ...range(100_000, LENGTH - 1, '*') })]);
  assertWhole(known);
  assert.equal(known.requests.length, 2);
  // A part from earlier whose bytes are not those on disk is of another place, whatever it says.
  const elsewhere = await download([first, part(206, rest, { etag: ETAG, ...range(99_000, 298_999) })]);
  assertWhole(elsewhere);
  assert.equal(elsewhere.requests.length, 3);
});

test('a host without ranges ends with that reason, and is not called changed', async () => {
  for (const options of [{}, { etag: ETAG, ignoreRange: true }, { etag: 'W/"weak"', ignoreRange: true }]) {
    const { error } = await download([serve(CONTENT, { ...options, resetAfter: 100_000 })], {
      retry: { ...QUICK, attempts: 50 },
    });
    assert.equal(error?.code, 'download-not-resumable', JSON.stringify(options));
    assert.match(error.message, /serves no ranges/);
  }
});

test('400 with an expired token, 412 and 498 ask for a new link, any other 400 does not', async () => {
  const says =
    (code: number, body: string): Answer =>
    (_request, response) => {
      response.writeHead(code).end(body);
    };
  for (const refusal of [
    says(400, '<Error><Code>ExpiredToken</Code></Error>'),
    says(400, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'),
    status(412),
    status(498),
  ]) {
    const result = await download([
      serve(CONTENT, { etag: ETAG, resetAfter: 100_000 }),
      refusal,
      serve(CONTENT, { etag: ETAG }),
    ]);
    assertWhole(result);
    assert.equal(result.links, 2);
  }
  assert.equal(
    (await download([says(400, '<Error><Code>InvalidArgument</Code></Error>')])).error?.code,
    'download-refused',
  );
});

/** A host that speaks as written here, and closes, or resets, after its answer. */
async function rawly(answer: string | Buffer, how: 'end' | 'reset' = 'end'): Promise<Try> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(answer, () => (how === 'end' ? socket.end() : setTimeout(() => socket.resetAndDestroy(), 20)));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await download([status(500)], { link: async () => `http://${host}/x`, allowedHosts: [host] });
  } finally {
    server.close();
  }
}

test('an end is proven by a length or a last chunk, not by a connection that closes or breaks', async () => {
  const chunks = '5\r\nhello\r\n';
  for (const version of ['1.0', '1.1']) {
    const head = `HTTP/${version} 200 OK\r\nConnection: close\r\n`;
    for (const how of ['end', 'reset'] as const) {
      assert.equal((await rawly(`${head}\r\nhello`, how)).endProven, false);
      assert.equal((await rawly(`${head}Content-Length: 5\r\n\r\nhello`, how)).endProven, true);
      assert.equal((await rawly(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`, how)).endProven, true);
      const cut = await rawly(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`, how);
      assert.equal(cut.error?.code, 'download-failed');
      assert.match(cut.error.message, /at byte [05]:/);
    }
  }
});

test('bytes that came before a host closed at once count', async () => {
  const bytes = Buffer.alloc(200_000, 'x');
  const head = Buffer.from(`HTTP/1.1 200 OK\r\nETag: ${ETAG}\r\nContent-Length: 300000\r\n\r\n`);
  const { error } = await rawly(Buffer.concat([head, bytes]));
  assert.match(error?.message ?? '', /at byte 200000/);
});

test('Content-Encoding: tokens that are no coding change nothing', async () => {
  for (const token of ['utf-8', 'aws-chunked', 'binary', 'none', 'identity', '', 'utf-8, identity']) {
    assertWhole(await download([serve(CONTENT, { headers: { 'content-encoding': token } })]));
  }
});

test('one gzip layer that Content-Encoding names is taken off an archive, and nothing else', async () => {
  const lines = Buffer.from('{"conversationId":"a"}\n');
  const encoded = async (body: Buffer) =>
    (await download([serve(body, { headers: { 'content-encoding': 'gzip' } })])).content;
  const zip = buildZip([{ name: 'a.json' }]);
  for (const archive of [zip, gzipSync(lines)]) assert.deepEqual(await encoded(gzipSync(archive)), archive);
  for (const as of [zip, gzipSync(lines), lines]) assert.deepEqual(await encoded(as), as);
  // Under a layer that nobody named there may be anything.
  assert.deepEqual((await download([serve(gzipSync(zip))])).content, gzipSync(zip));
  const bomb = Buffer.concat([gzipSync(CONTENT.subarray(0, 9000)), Buffer.alloc(900_000)]);
  const { error } = await download([serve(gzipSync(bomb), { headers: { 'content-encoding': 'gzip' } })], {
    maxBytes: 500_000,
  });
  assert.match(error?.code ?? '', /^archive-(bomb|too-large)$/);
  const cut = gzipSync(zip).subarray(0, -4);
  const truncated = await download([serve(cut, { headers: { 'content-encoding': 'gzip' } })]);
  assert.equal(truncated.error?.code, 'archive-truncated');
});

test('validators: what differs is changed, what is missing or weak proves nothing', () => {
  const of = (etag?: string, lastModified?: string) => ({ etag, lastModified });
  assert.equal(compareValidators(of('"a"', DATE), of('"a"', LATER)), 'same');
  assert.equal(compareValidators(of('"a"'), of('W/"b"')), 'changed');
  assert.equal(compareValidators(of('"a"', DATE), of(undefined, LATER)), 'changed');
  assert.equal(compareValidators(of(), of('"a"', DATE)), 'unproven');
  assert.equal(compareValidators(of('W/"a"'), of('W/"a"')), 'unproven');
  assert.equal(compareValidators(of(undefined, DATE), of('"a"', DATE)), 'same');
});
