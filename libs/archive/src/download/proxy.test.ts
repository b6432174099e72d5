import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { download, QUICK } from '../../fixtures/download.ts';
import type { SpoolOptions } from './spool.ts';

/** Refuses every tunnel with a status; notes where they were to lead. */
async function refusingProxy(status: number) {
  const targets: (string | undefined)[] = [];
  const server = createServer().on('connect', (request, socket: Socket) => {
    targets.push(request.url);
    socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { url, targets, [Symbol.dispose]: () => void server.close() };
}

const from = (host: string, allowed: string, url: string) =>
  download([], { link: async () => `https://${host}/x`, allowedHosts: [allowed], proxy: { url, bypass: [] } });

test('a proxy that refuses ends the download, one that fails is asked again', async () => {
  using refusing = await refusingProxy(407);
  const refused = await from('files.example', 'files.example', refusing.url);
  assert.equal(refused.error?.code, 'download-refused');
  assert.match(refused.error.message, /files\.example \(it answered 407\).*HTTPS_PROXY/);
  assert.deepEqual(refusing.targets, ['files.example:443']);
  using failing = await refusingProxy(502);
  assert.equal((await from('files.example', 'files.example', failing.url)).error?.code, 'download-failed');
  assert.equal(failing.targets.length, QUICK.attempts);
});

test('hosts that the proxy is not for go out under the address rules, and HTTP_PROXY is never read', async () => {
  using proxy = await refusingProxy(407);
  let reached = 0;
  const server = createServer((_request, response) => response.end('[]')).on('connection', () => (reached += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // Rebound: the name that is allowed stands for this machine.
  const resolve = ((_name: string, _options: object, callback: (...found: unknown[]) => void) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as SpoolOptions['resolve'];
  const before = { ...process.env };
  Object.assign(process.env, { HTTP_PROXY: proxy.url, http_proxy: proxy.url });
  try {
    for (const scheme of ['http', 'https']) {
      const { error } = await download([], {
        link: async () => `${scheme}://files.example:${port}/x`,
        allowedHosts: [],
        publicHosts: [`files.example:${port}`],
        allowInsecureHttp: true,
        // Plain http: never goes through the proxy, listed or not.
        proxy: { url: proxy.url, bypass: scheme === 'http' ? [] : ['files.example'] },
        resolve,
      });
      assert.equal(error?.code, 'link-address-not-allowed', scheme);
    }
  } finally {
    process.env = before;
    server.close();
  }
  assert.equal(reached, 0);
  assert.deepEqual(proxy.targets, []);
});
