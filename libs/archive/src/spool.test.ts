import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { fileServer, serve, status, type Answer } from '../fixtures/file-server.ts';
import { scratch } from '../fixtures/scratch.ts';
import { ArchiveError, spool, type SpoolOptions } from './index.ts';
import { LinkRules } from './link-rules.ts';

const run = promisify(execFile);

const SECRET = 'signature-that-must-not-show';
const CONTENT = randomBytes(300_000);
const ETAG = '"one"';

interface Try {
  readonly content: Buffer | undefined;
  readonly error: ArchiveError | undefined;
  readonly requests: { range: string | undefined; ifRange: string | string[] | undefined; url: string | undefined }[];
  readonly links: number;
}

const QUICK = { attempts: 4, maxElapsedMs: 60_000, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitterMs: 0 } };

/** Spools from a server with these answers; asserts what holds for every download, failed or not. */
async function download(answers: Answer[], options: Partial<SpoolOptions> = {}): Promise<Try> {
  await using dir = await scratch();
  await using server = await fileServer(...answers);
  let links = 0;
  let content: Buffer | undefined;
  let error: ArchiveError | undefined;
  try {
    await using file = await spool({
      link: async () => `${server.origin}/file-${(links += 1)}?X-Amz-Signature=${SECRET}`,
      spoolDir: `${dir.dir}/spool`,
      allowedHosts: [server.host],
      allowInsecureHttp: false,
      maxBytes: 1_000_000,
      idleTimeoutMs: 60_000,
      minBytesPerSecond: 0,
      retry: QUICK,
      ...options,
    });
    content = await readFile(file.path);
    assert.equal(content.length, file.bytes);
    assert.equal((await stat(file.path)).mode & 0o777, 0o600);
  } catch (failure) {
    if (!(failure instanceof ArchiveError)) throw failure;
    error = failure;
    for (let at: unknown = failure; at instanceof Error; at = at.cause) {
      assert.doesNotMatch(`${at.message} ${JSON.stringify(at)} ${at.stack}`, new RegExp(`${SECRET}|no error may show`));
    }
  }
  assert.deepEqual(await readdir(`${dir.dir}/spool`), [], 'the spool file is gone');
  for (const request of server.requests) {
    assert.equal(request.headers.authorization, undefined);
    assert.equal(request.headers['accept-encoding'], 'identity');
  }
  const requests = server.requests.map(({ headers, url }) => ({
    range: headers.range,
    ifRange: headers['if-range'],
    url,
  }));
  return { content, error, requests, links };
}

function assertWhole(result: Try): void {
  assert.equal(result.error, undefined);
  assert.ok(result.content?.equals(CONTENT), 'the content is the object, byte for byte');
}

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
  const { error, requests } = await download([changing], { retry: { ...QUICK, attempts: 8 } });
  assert.equal(error?.code, 'source-changed');
  assert.equal(requests.length, 5);
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
  // Only the first byte is off, and no length gives it away.
  const early: Answer = (_request, response) => {
    response.writeHead(206, { etag: ETAG, 'content-range': 'bytes 99999-299999/300000' }).end(CONTENT.subarray(99_999));
  };
  assertWhole(await download([first, early, serve(CONTENT, { etag: ETAG })]));
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
    status(500, { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }),
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

test('limits: declared and actual length, and one encoding at most', async () => {
  assert.equal((await download([serve(CONTENT)], { maxBytes: 1000 })).error?.code, 'download-too-large');
  const endless: Answer = (_request, response) => {
    response.write(CONTENT);
    response.end(CONTENT);
  };
  assert.equal((await download([endless], { maxBytes: 400_000 })).error?.code, 'download-too-large');
  assertWhole(await download([serve(CONTENT, { headers: { 'content-encoding': 'gzip' } })]));
  for (const encoding of ['gzip, gzip', 'br', 'deflate']) {
    const { error } = await download([serve(CONTENT, { headers: { 'content-encoding': encoding } })]);
    assert.equal(error?.code, 'download-encoding', encoding);
  }
});

test('a file that the disk cannot take is refused before its first byte', async () => {
  const huge: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': String(2 ** 52) });
    response.write('x');
  };
  const { error } = await download([huge], { maxBytes: 2 ** 53 });
  assert.equal(error?.code, 'spool-full');
  assert.equal(error.scope, 'run');
  assert.match(error.message, /needs 4503599627370496 bytes.*SPOOL_DIR/);
});

test('follows three redirects, each checked like the link itself', async () => {
  const to = (location: string) => status(302, { location });
  assertWhole(await download([to('/b?x=1'), to('c'), to('/d'), serve(CONTENT)]));
  assert.equal((await download([to('/b')])).error?.code, 'link-too-many-redirects');
  const elsewhere: [location: string, code: string][] = [
    ['http://127.0.0.1:1/x', 'link-host-not-allowed'],
    ['http://169.254.169.254/latest/meta-data', 'link-host-not-allowed'],
    ['file:///etc/passwd', 'link-malformed'],
    ['http://user:pass@127.0.0.1/', 'link-malformed'],
  ];
  for (const [location, code] of elsewhere) assert.equal((await download([to(location)])).error?.code, code, location);
});

test('an abort rejects with its reason and leaves no file', async () => {
  await using dir = await scratch();
  await using server = await fileServer(serve(CONTENT, { stallAfter: 1000 }));
  const stop = new AbortController();
  const reason = new Error('stop');
  const spooling = spool({
    link: async () => `${server.origin}/x`,
    spoolDir: dir.dir,
    allowedHosts: [server.host],
    allowInsecureHttp: false,
    maxBytes: 1_000_000,
    idleTimeoutMs: 60_000,
    minBytesPerSecond: 0,
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  await assert.rejects(spooling, reason);
  assert.deepEqual(await readdir(dir.dir), []);
});

test('an unreachable host is tried again, then given up', async () => {
  await using server = await fileServer(status(200));
  const gone = server.host;
  await server[Symbol.asyncDispose]();
  const { error } = await download([status(200)], {
    link: async () => `http://${gone}/x?${SECRET}`,
    allowedHosts: [gone],
  });
  assert.equal(error?.code, 'download-failed');
  assert.match(error.message, /ECONNREFUSED/);
});

test('clears what a killed process of this host left behind, and nothing else', async () => {
  await using dir = await scratch();
  const prefix = `genesys-spool-${hostname().replace(/[^A-Za-z0-9.]/g, '_')}-`;
  const dead = [`${prefix}4194304-0123abcd-x`, `${prefix}${process.pid}-0123abcd-x`];
  const kept = [`${prefix}1-0123abcd-x`, 'genesys-spool-otherhost-4194304-0123abcd-x', 'my-file.zip'];
  for (const name of [...dead, ...kept]) await writeFile(`${dir.dir}/${name}`, 'x');
  await using server = await fileServer(serve(CONTENT));
  const options = {
    spoolDir: dir.dir,
    allowedHosts: [server.host],
    allowInsecureHttp: false,
    maxBytes: 1e6,
    idleTimeoutMs: 1e4,
    minBytesPerSecond: 0,
  };
  {
    await using first = await spool({ ...options, link: async () => server.origin });
    await using second = await spool({ ...options, link: async () => server.origin });
    assert.ok((await readFile(first.path)).equals(await readFile(second.path)));
  }
  assert.deepEqual((await readdir(dir.dir)).sort(), kept.sort());
});

test('a disk that fills up during the download stops it cleanly', async (t) => {
  await using dir = await scratch();
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir.dir]).catch(() => undefined);
  if (!mounted) {
    t.skip('a small disk needs the right to mount a tmpfs');
    return;
  }
  try {
    await using server = await fileServer((_request, response) => {
      // Without a length in the head the check beforehand has nothing to go by.
      response.write(CONTENT);
      response.end(CONTENT);
    });
    const spooling = spool({
      link: async () => server.origin,
      spoolDir: dir.dir,
      allowedHosts: [server.host],
      allowInsecureHttp: false,
      maxBytes: 1e9,
      idleTimeoutMs: 10_000,
      minBytesPerSecond: 0,
    });
    await assert.rejects(spooling, { code: 'spool-full', scope: 'run', message: /ENOSPC/ });
    assert.deepEqual(await readdir(dir.dir), []);
  } finally {
    await run('umount', [dir.dir]);
  }
});

test('trusts the certificates it is told to, and no others', async (t) => {
  await using dir = await scratch();
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', `${dir.dir}/key.pem`, '-out', `${dir.dir}/cert.pem`];
  const made = await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ]).catch(() => undefined);
  if (!made) {
    t.skip('a certificate needs the openssl command');
    return;
  }
  const [key, cert] = await Promise.all([
    readFile(`${dir.dir}/key.pem`, 'utf8'),
    readFile(`${dir.dir}/cert.pem`, 'utf8'),
  ]);
  const server = createServer({ key, cert }, serve(CONTENT));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const from = (host: string, ca?: string) => ({
      link: async () => `https://${host}:${port}/x?${SECRET}`,
      allowedHosts: [host],
      ...(ca === undefined ? {} : { ca }),
    });
    assertWhole(await download([], from('127.0.0.1', cert)));
    assertWhole(await download([], from('localhost', cert)));
    assert.equal((await download([], from('localhost'))).error?.code, 'download-untrusted');
    assert.equal((await download([], from('127.0.0.2', cert))).error?.code, 'download-failed');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a socket is never opened to an address that the rules refuse', async () => {
  await using server = await fileServer(serve(CONTENT));
  const { port } = new URL(server.origin);
  // Allowed by its domain, not by its name: what it resolves to must be public, and is this machine.
  const rules = new LinkRules({ allowedHosts: ['*.localhost'], allowInsecureHttp: true });
  const agent = new Agent({ connect: { lookup: rules.lookup } });
  await assert.rejects(agent.request({ origin: `http://localhost:${port}`, path: '/', method: 'GET' }), {
    code: 'link-address-not-allowed',
  });
  assert.equal(server.requests.length, 0);
  await agent.destroy();
});
