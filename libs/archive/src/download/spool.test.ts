import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWhole, CONTENT, download, ETAG, QUICK } from '../../fixtures/download.ts';
import { serve, status, type Answer } from '../../fixtures/file-server.ts';

test('downloads a file, and reports progress', async () => {
  const seen: (readonly [number, number | undefined])[] = [];
  assertWhole(await download([serve(CONTENT)], { onProgress: (bytes, total) => seen.push([bytes, total]) }));
  assert.deepEqual(seen.at(-1), [CONTENT.length, CONTENT.length]);
  const chunked: Answer = (_request, response) => {
    response.write(CONTENT.subarray(0, 100_000));
    response.end(CONTENT.subarray(100_000));
  };
  assertWhole(await download([chunked]));
  assert.equal((await download([serve(Buffer.alloc(0))])).content?.length, 0);
});

test('resumes by range after resets, with the strong ETag or the date as the condition', async () => {
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
  for (const [options, validator] of [
    [{ etag: ETAG, lastModified: date }, ETAG],
    [{ lastModified: date }, date],
    [{ etag: 'W/"x"', lastModified: date }, date],
  ] as const) {
    const result = await download([
      serve(CONTENT, { ...options, resetAfter: 100_000 }),
      serve(CONTENT, { ...options, resetAfter: 50_000 }),
      serve(CONTENT, options),
    ]);
    assertWhole(result);
    assert.deepEqual(
      result.requests.map((request) => request.range),
      [undefined, 'bytes=100000-', 'bytes=150000-'],
    );
    assert.equal(result.requests[1]?.ifRange, validator);
  }
});

test('without a validator nothing is joined: the file begins anew', async () => {
  const result = await download([serve(CONTENT, { resetAfter: 100_000 }), serve(CONTENT)]);
  assertWhole(result);
  assert.equal(result.requests[1]?.range, undefined);
});

test('a changed object is never spliced with the old one', async () => {
  const old = Buffer.from(CONTENT).fill(1);
  const first = serve(old, { etag: '"old"', resetAfter: 100_000 });
  // A correct host answers 200 to If-Range; one that knows no If-Range shows another ETag, or another length.
  assertWhole(await download([first, serve(CONTENT, { etag: ETAG })]));
  const wrongEtag: Answer = (request, response) =>
    serve(CONTENT, {
      etag: request.headers.range ? String(request.headers['if-range']) : ETAG,
      headers: request.headers.range ? { etag: '"new"' } : {},
    })(request, response);
  assertWhole(await download([first, wrongEtag]));
  const longer = serve(Buffer.concat([old, old]), { etag: '"old"' });
  assertWhole(await download([first, longer, serve(CONTENT)]));
});

test('an object that keeps changing is an error at last', async () => {
  let version = 0;
  const changing: Answer = (request, response) =>
    serve(CONTENT, { etag: `"${(version += 1)}"`, resetAfter: 100_000 })(request, response);
  // A reset may take the bytes along before they are read: that request counts as a failure, not as a change.
  const { error, requests } = await download([changing], { retry: { ...QUICK, attempts: 50 } });
  assert.equal(error?.code, 'source-changed');
  assert.match(error.message, /changed 4 times/);
  assert.ok(requests.length >= 5);
});

test('a host that ignores ranges is read from the beginning', async () => {
  assertWhole(
    await download([
      serve(CONTENT, { etag: ETAG, resetAfter: 100_000 }),
      serve(CONTENT, { etag: ETAG, ignoreRange: true }),
    ]),
  );
});

test('a wrong Content-Range, a multipart answer or a part nobody asked for is refused', async () => {
  const first = serve(CONTENT, { etag: ETAG, resetAfter: 100_000 });
  const part =
    (headers: Record<string, string>): Answer =>
    (_request, response) => {
      response.writeHead(206, { 'content-length': '200000', etag: ETAG, ...headers }).end(CONTENT.subarray(100_000));
    };
  const wrong = [
    { 'content-range': 'bytes 99999-299998/300000' },
    { 'content-range': 'bytes 100000-299998/300000' },
    { 'content-range': 'bytes 100000-299999/300001' },
    { 'content-range': 'items 1-2/3' },
    { 'content-type': 'multipart/byteranges; boundary=x' },
  ];
  for (const headers of wrong) assertWhole(await download([first, part(headers), serve(CONTENT, { etag: ETAG })]));
  // One byte early is lawful, as long as that byte is the one on disk.
  const early: Answer = (_request, response) => {
    response.writeHead(206, { etag: ETAG, 'content-range': 'bytes 99999-299999/300000' }).end(CONTENT.subarray(99_999));
  };
  const overlapping = await download([first, early]);
  assertWhole(overlapping);
  assert.equal(overlapping.requests.length, 2);
  const { error } = await download([part({ 'content-range': 'bytes 0-199999/300000' })]);
  assert.equal(error?.code, 'download-bad-range');
});

test('416 at full length is the end, and anywhere else a reason to begin anew', async () => {
  const chunkedThenReset: Answer = (request, response) => {
    response.writeHead(200, { etag: ETAG });
    response.write(CONTENT, () => setTimeout(() => request.socket.destroy(), 50));
  };
  assertWhole(await download([chunkedThenReset, serve(CONTENT, { etag: ETAG })]));
  const short = status(416, { 'content-range': 'bytes */5' });
  assertWhole(await download([serve(CONTENT, { etag: ETAG, resetAfter: 100_000 }), short, serve(CONTENT)]));
});

test('a premature end is a truncation, resumed', async () => {
  const ended: Answer = (request, response) => {
    response.writeHead(200, { 'content-length': '300000', etag: ETAG });
    response.write(CONTENT.subarray(0, 70_000), () => setTimeout(() => request.socket.end(), 20));
  };
  const result = await download([ended, serve(CONTENT, { etag: ETAG })]);
  assertWhole(result);
  assert.equal(result.requests[1]?.range, 'bytes=70000-');
});

test('an expired link is replaced on reconnect, and the download goes on where it was', async () => {
  for (const code of [401, 403, 404, 410]) {
    const result = await download([
      serve(CONTENT, { etag: ETAG, resetAfter: 100_000 }),
      status(code),
      serve(CONTENT, { etag: ETAG }),
    ]);
    assertWhole(result);
    assert.equal(result.links, 2);
    assert.deepEqual(
      result.requests.map((request) => request.range),
      [undefined, 'bytes=100000-', 'bytes=100000-'],
    );
    assert.match(result.requests[2]?.url ?? '', /^\/file-2\?/);
  }
});

test('a link that stays refused is an error: at once when there is no other', async () => {
  const refused = await download([status(403)]);
  assert.equal(refused.error?.code, 'link-refused');
  assert.match(refused.error.message, /\/file-3 answered 403/);
  assert.equal(refused.links, 3);
  let asked = 0;
  const same = await download([status(404)], { link: async () => ((asked += 1), 'http://127.0.0.1:1/x') });
  assert.equal(same.error?.code, 'link-host-not-allowed');
  assert.equal(asked, 1);
});

test('5xx and 429 are tried again, Retry-After is the least wait, and patience ends', async () => {
  const waits: number[] = [];
  const clock = {
    nowMs: () => Date.UTC(2026, 0, 1),
    monotonicMs: () => 0,
    // The watchdog's waits last; those between attempts are over at once.
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (ms === 15_000)
        return new Promise<void>((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(new Error('over'))),
        );
      waits.push(ms);
    },
  };
  const answers = [
    status(503),
    status(429, { 'retry-after': '7' }),
    status(500, { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
    serve(CONTENT),
  ];
  assertWhole(await download(answers, { clock }));
  assert.deepEqual(waits, [1, 7000, 9000]);
  const { error, requests } = await download([status(500)], { clock });
  assert.equal(error?.code, 'download-failed');
  assert.equal(error.retry, true);
  assert.match(error.message, /after 4 failures in a row, at byte 0: it answered 500/);
  assert.equal(requests.length, 4);
  assert.equal((await download([status(503, { 'retry-after': '86400' })], { clock })).error?.code, 'download-failed');
  assert.equal((await download([status(418)])).error?.code, 'download-refused');
});

test('a stalled body, a silent host and a trickle are cut and resumed', async () => {
  const slow = { idleTimeoutMs: 200 };
  const stalled = await download(
    [serve(CONTENT, { etag: ETAG, stallAfter: 100_000 }), serve(CONTENT, { etag: ETAG })],
    slow,
  );
  assertWhole(stalled);
  assert.equal(stalled.requests[1]?.range, 'bytes=100000-');
  assertWhole(await download([() => undefined, serve(CONTENT)], slow));
  const trickle: Answer = (request, response) => {
    response.writeHead(200, { 'content-length': '300000', etag: ETAG });
    let at = 0;
    const timer = setInterval(() => response.write(CONTENT.subarray(at, (at += 1))), 20);
    request.socket.on('close', () => clearInterval(timer));
  };
  const cut = await download([trickle, serve(CONTENT, { etag: ETAG })], { ...slow, minBytesPerSecond: 1000 });
  assertWhole(cut);
  assert.match(cut.requests[1]?.range ?? '', /^bytes=\d+-$/);
});
