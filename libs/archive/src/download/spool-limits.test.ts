import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmod, chown, lchown, readdir, readFile, rm, symlink, utimes } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import tls, { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock } from '@genesys-kafka/resilience';
import { expiredPair, strangerPair, testAuthority, tlsListener, trustedPair } from '@genesys-kafka/testing';
import { Agent } from 'undici';
import { assertWhole, CONTENT, download, SECRET } from '../../fixtures/download.ts';
import { fileServer, serve, status, type Answer } from '../../fixtures/file-server.ts';
import { scratch } from '../../fixtures/scratch.ts';
import { checkSpool } from './check-spool.ts';
import { LinkRules } from './link-rules.ts';
import { SpoolFile } from './spool-file.ts';
import { SpoolHolder } from './spool-holder.ts';
import { spool } from './spool.ts';

const run = promisify(execFile);

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

test('who holds a spooled file is told by a heartbeat: what the dead left is cleared, and nothing else', async () => {
  await using dir = await scratch();
  const [dead, silent, living] = ['d', 'e', 'f'].map((digit) => `genesys-spool-${digit.repeat(36)}`);
  const gone = [`${dead}.alive`, `${dead}-1`, `${silent}-1`, `${silent}-2`];
  const kept = [`${living}.alive`, `${living}-1`, 'genesys-spool-of-mine.zip', 'my-file.zip'];
  for (const name of [...gone, ...kept]) await dir.write(name, 'x');
  const longAgo = new Date(Date.now() - 61_000);
  for (const name of [`${dead}.alive`, `${living}-1`]) await utimes(`${dir.dir}/${name}`, longAgo, longAgo);
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
    const own = (await readdir(dir.dir)).filter((name) => !kept.includes(name));
    assert.deepEqual(own.filter((name) => name.endsWith('.alive')).length, 1);
    assert.equal(own.length, 3);
  }
  assert.deepEqual((await readdir(dir.dir)).sort(), kept.sort());
});

test('a heartbeat goes on for as long as a file is held, and no longer', async () => {
  await using dir = await scratch();
  const beats = new EventEmitter();
  let slept = Promise.withResolvers<unknown>();
  const sleep = async (_ms: number, signal?: AbortSignal) => {
    slept.resolve(undefined);
    await once(beats, 'beat', { signal });
  };
  const holder = await SpoolHolder.take(dir.dir, { ...systemClock, sleep });
  await slept.promise;
  const [alive] = await readdir(dir.dir);
  await rm(`${dir.dir}/${alive}`);
  slept = Promise.withResolvers<unknown>();
  beats.emit('beat');
  await slept.promise;
  assert.deepEqual(await readdir(dir.dir), [alive]);
  await holder.release();
  assert.deepEqual(await readdir(dir.dir), []);
});

test('a spool directory that is not ours is refused', async (t) => {
  await using dir = await scratch();
  for (const mode of [0o777, 0o770, 0o2775]) {
    await chmod(dir.dir, mode);
    await assert.rejects(checkSpool(dir.dir), { code: 'spool-not-ours', scope: 'run', message: /SPOOL_DIR/ });
  }
  for (const mode of [0o1777, 0o755, 0o700]) {
    await chmod(dir.dir, mode);
    await checkSpool(dir.dir);
  }
  if (process.getuid?.() !== 0) {
    t.diagnostic('only root can give a directory away');
    return;
  }
  // A link that is another's may lead elsewhere at the next start.
  const link = `${dir.dir}/link`;
  await symlink(dir.dir, link);
  await checkSpool(link);
  await lchown(link, 12_345, 12_345);
  await assert.rejects(checkSpool(link), { code: 'spool-not-ours', message: /belongs to user 12345/ });
  await chown(dir.dir, 12_345, 12_345);
  await assert.rejects(SpoolFile.create(dir.dir), { code: 'spool-not-ours', message: /belongs to user 12345/ });
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

test('trusts the certificates that the process trusts, and no others', async () => {
  const server = createServer(trustedPair, serve(CONTENT));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const usual = getCACertificates('default');
  try {
    const from = (host: string) => ({
      link: async () => `https://${host}:${port}/x?${SECRET}`,
      allowedHosts: [`${host}:${port}`],
    });
    assert.equal((await download([], from('localhost'))).error?.code, 'download-untrusted');
    setDefaultCACertificates([...usual, testAuthority]);
    assertWhole(await download([], from('127.0.0.1')));
    assertWhole(await download([], from('localhost')));
    assert.equal((await download([], from('127.0.0.2'))).error?.code, 'download-failed');
  } finally {
    setDefaultCACertificates(usual);
    server.closeAllConnections();
    server.close();
  }
});

test('a certificate that has expired, or that nobody trusts, and TLS 1.1 end the download at once, whatever Node is told to allow', async () => {
  const usual = getCACertificates('default');
  const before = { version: tls.DEFAULT_MIN_VERSION, ciphers: tls.DEFAULT_CIPHERS };
  setDefaultCACertificates([...usual, testAuthority]);
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  tls.DEFAULT_CIPHERS = 'DEFAULT@SECLEVEL=0';
  try {
    const cases = [
      [expiredPair, undefined, /EXPIRED.*valid/],
      [strangerPair, undefined, /tls\.caFile/],
      [trustedPair, 'TLSv1.1', /TLS 1\.2 or later/],
    ] as const;
    for (const [pair, version, text] of cases) {
      await using host = await tlsListener(pair, version);
      const link = async () => `https://${host.address}/x?${SECRET}`;
      const { error } = await download([], { link, allowedHosts: [host.address], idleTimeoutMs: 1000 });
      assert.equal(error?.code, 'download-untrusted');
      assert.match(error.message, text);
      assert.deepEqual(host.counts, { connections: 1, trusted: 0 });
    }
  } finally {
    setDefaultCACertificates(usual);
    tls.DEFAULT_MIN_VERSION = before.version;
    tls.DEFAULT_CIPHERS = before.ciphers;
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
