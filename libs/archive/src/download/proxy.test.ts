import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { download, QUICK } from '../../fixtures/download.ts';

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
