import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';
import { genesys, never } from '../fixtures/genesys-server.ts';
import { JumpClock } from '../fixtures/jump-clock.ts';
import { certificate, proxyServer, secureServer } from '../fixtures/tls-servers.ts';
import { createGenesysClient } from './client.ts';
import { GenesysError } from './errors.ts';
import type { GenesysClientOptions } from './options.ts';

const pair = await certificate('localhost');
const usual = getCACertificates('default');
/** As `tls.caFile` does. */
const trust = (...pems: string[]) => setDefaultCACertificates([...usual, ...pems]);
trust(pair.cert);

const client = (origin: string, options: Partial<GenesysClientOptions> = {}) =>
  createGenesysClient({
    apiUrl: origin,
    loginUrl: origin,
    clientId: 'i',
    clientSecret: 's',
    clock: new JumpClock(),
    ...options,
  });
const pending = '{"state":"PENDING"}';

test('HTTP/2 is used when offered, on one connection, with an authority that the process trusts', async () => {
  const versions: string[] = [];
  await using server = await secureServer(pair, (response, _nth, request) => {
    versions.push(request.httpVersion);
    response.end(pending);
  });
  await using api = client(server.origin);
  await api.detailsJobs.status('j', never);
  await Promise.all([1, 2, 3, 4].map(async () => api.detailsJobs.status('j', never)));
  assert.deepEqual(versions, Array(5).fill('2.0'));
  assert.equal(server.sockets.size, 1);
});

test('over HTTP/2 too, a reset stream, a broken session, a stalled body and a 5xx are tried again', async () => {
  await using server = await secureServer(pair, (response, nth) => {
    if (nth === 0) response.stream.close(2);
    else if (nth === 1) response.stream.session?.destroy();
    else if (nth === 2) response.write('{"state"');
    else if (nth === 3) response.writeHead(503).end();
    else response.end(pending);
  });
  const codes: unknown[] = [];
  await using api = client(server.origin, {
    bodyIdleTimeoutMs: 100,
    onEvent: (event) => event.type === 'retry' && codes.push(event.code ?? event.status),
  });
  assert.deepEqual(await api.detailsJobs.status('j', never), { state: 'pending' });
  assert.deepEqual(codes, ['connection-failed', 'connection-failed', 'timeout', 503]);
});

test('a certificate that is not trusted, or is somebody else’s, ends the call at once', async () => {
  await using server = await secureServer(pair, (response) => response.end(pending));
  const other = await certificate('other.example');
  await using impostor = await secureServer(other, (response) => response.end(pending));
  const attempts: string[] = [];
  const untrusted = async (origin: string, ...pems: string[]) => {
    trust(...pems);
    await using api = client(origin, { onEvent: (event) => attempts.push(event.type) });
    await assert.rejects(api.detailsJobs.status('j', never), (error) => {
      assert.ok(error instanceof GenesysError, inspect(error));
      assert.equal(error.code, 'tls-failed');
      assert.equal(error.retry, false);
      return true;
    });
  };
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await untrusted(server.origin);
    await untrusted(impostor.origin, other.cert);
  } finally {
    trust(pair.cert);
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
  assert.deepEqual(attempts, ['request', 'request']);
});

test('calls go through the proxy of the options, not of the environment, and NO_PROXY goes past it', async () => {
  await using server = await secureServer(pair, (response) => response.end(pending));
  await using proxy = await proxyServer();
  const host = new URL(server.origin).host;
  process.env.HTTPS_PROXY = 'http://127.0.0.1:1';
  try {
    await using direct = client(server.origin);
    await direct.detailsJobs.status('j', never);
    assert.deepEqual(proxy.targets, []);
    const url = proxy.origin.replace('//', '//user:pass@');
    await using proxied = client(server.origin, { proxy: { url, bypass: [] } });
    await proxied.detailsJobs.status('j', never);
    assert.deepEqual(new Set(proxy.targets), new Set([host]));
    assert.equal(proxy.logins[0], `Basic ${Buffer.from('user:pass').toString('base64')}`);
    const tunnels = proxy.targets.length;
    await using past = client(server.origin, { proxy: { url, bypass: ['localhost'] } });
    await past.detailsJobs.status('j', never);
    assert.equal(proxy.targets.length, tunnels);
  } finally {
    delete process.env.HTTPS_PROXY;
  }
});

for (const [status, code, attempts] of [
  [407, 'proxy-refused', 1],
  [503, 'proxy-failed', 3],
] as const) {
  test(`a proxy that answers ${status} is named, without its login, after ${attempts} attempts`, async () => {
    await using proxy = await proxyServer(status);
    const url = proxy.origin.replace('//', '//u:pw-canary@');
    await using api = client('https://api.example.org', { proxy: { url, bypass: [] } });
    await assert.rejects(api.detailsJobs.status('j', never), (error) => {
      assert.ok(error instanceof GenesysError, inspect(error));
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`api\\.example\\.org \\(it answered ${status}\\).*HTTPS_PROXY`));
      const canaries = new RegExp(`pw-canary|${Buffer.from('u:pw-canary').toString('base64')}`);
      assert.doesNotMatch(inspect(error, { depth: 12 }), canaries);
      return true;
    });
    assert.equal(proxy.targets.length, attempts);
  });
}

test('over HTTP/1.1, no more connections than allowed, and they are kept alive', async () => {
  const sockets = new Set<unknown>();
  await using stand = await genesys(
    (response) => {
      sockets.add(response.socket);
      setTimeout(() => response.end(pending), 20);
    },
    { maxConnections: 2, requestsPerSecond: 100 },
  );
  await Promise.all(Array.from({ length: 10 }, async () => stand.client.detailsJobs.status('j', never)));
  assert.equal(sockets.size, 2);
});
