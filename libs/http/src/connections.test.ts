import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Socket, type AddressInfo, type LookupFunction } from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { connections } from './connections.ts';

test('only https goes through the proxy, names of hosts reached directly are resolved by the lookup given', async () => {
  const tunnels: (string | undefined)[] = [];
  const server = createServer().on('connect', (request, socket: Socket) => {
    tunnels.push(request.url);
    socket.end('HTTP/1.1 403 No\r\n\r\n');
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const resolved: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    resolved.push(hostname);
    callback(Object.assign(new Error('not that one'), { code: 'OURS' }), '', 0);
  };
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const dispatcher = connections({ proxy: { url, bypass: ['near.example'] }, lookup });
  const codeFrom = async (origin: string) =>
    dispatcher.request({ origin, path: '/', method: 'GET' }).then(
      ({ statusCode }) => statusCode,
      (error: unknown) => (error as { code?: string }).code,
    );
  assert.equal(await codeFrom('https://far.example'), 'UND_ERR_ABORTED');
  assert.equal(await codeFrom('https://near.example'), 'OURS');
  assert.equal(await codeFrom('http://far.example'), 'OURS');
  assert.deepEqual(tunnels, ['far.example:443']);
  assert.deepEqual(resolved, ['near.example', 'far.example']);
  await dispatcher.close();
  server.close();
});

test('a proxy that says nothing is given up as one that cannot be connected to, and asked anew', async (t) => {
  const asked: Socket[] = [];
  const server = createServer().on('connect', (_request, socket: Socket) => {
    if (asked.push(socket) > 1) socket.end('HTTP/1.1 403 No\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // What an answer may take has nothing to do with it.
  const dispatcher = connections({
    proxy: { url, bypass: [] },
    connections: 1,
    connectTimeout: 100,
    headersTimeout: 0,
  });
  t.after(async () => {
    for (const socket of asked) socket.destroy();
    server.close();
    await dispatcher.destroy();
  });
  const request = async () => dispatcher.request({ origin: 'https://far.example', path: '/', method: 'GET' });
  await assert.rejects(request(), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  await assert.rejects(request(), { code: 'UND_ERR_ABORTED', message: /403/ });
});

test('the environment names no proxy', async () => {
  const before = { ...process.env };
  Object.assign(process.env, { HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1' });
  try {
    const server = createServer((_request, response) => response.end('direct')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const dispatcher = connections({});
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' });
    assert.equal(await body.text(), 'direct');
    await dispatcher.close();
    server.close();
  } finally {
    process.env = before;
  }
});

test('TLS is 1.2 or later and verified: to a host, to the proxy, and to a host through the proxy', async (t) => {
  const asked: (readonly unknown[])[] = [];
  t.mock.method(tls, 'connect', ({ servername, minVersion, rejectUnauthorized }: tls.ConnectionOptions) => {
    asked.push([servername, minVersion, rejectUnauthorized]);
    // Far enough: no handshake is needed to see what would be demanded of it.
    return new Socket().destroy(new Error('far enough'));
  });
  const opened: Socket[] = [];
  const tunnels = createServer().on('connect', (_request, socket: Socket) => {
    opened.push(socket);
    socket.write('HTTP/1.1 200 Yes\r\n\r\n');
  });
  tunnels.listen(0, '127.0.0.1');
  await once(tunnels, 'listening');
  const { port } = tunnels.address() as AddressInfo;
  try {
    for (const url of [undefined, `https://proxy.localhost:${port}`, `http://127.0.0.1:${port}`]) {
      const dispatcher = connections({ proxy: { url, bypass: [] } });
      await assert.rejects(dispatcher.request({ origin: 'https://host.localhost', path: '/', method: 'GET' }));
      await dispatcher.destroy();
    }
  } finally {
    for (const socket of opened) socket.destroy();
    tunnels.close();
  }
  assert.deepEqual(
    asked,
    ['host.localhost', 'proxy.localhost', 'host.localhost'].map((name) => [name, 'TLSv1.2', true]),
  );
});
