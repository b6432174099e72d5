import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { RequestHandler } from './request-handler.ts';

test('what takes long to be sent is waited for as much longer, and what is small is not', async (t) => {
  const isAnswered = Promise.withResolvers<undefined>();
  const server = createServer((request, response) => {
    request.resume();
    // Who is small waits for nothing.
    if (request.url === '/large') void isAnswered.promise.then(() => response.end('written'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const handler = new RequestHandler(undefined, 2, 100);
  t.after(() => handler.close());
  const put = (path: string, body: Buffer) =>
    handler.handle({ protocol: 'http:', hostname: '127.0.0.1', port, method: 'PUT', path, headers: {}, body });
  // Some four minutes more.
  const large = put('/large', Buffer.alloc(16 * 1024 * 1024));
  await assert.rejects(put('/small', Buffer.alloc(1)), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  isAnswered.resolve(undefined);
  assert.equal((await large).response.statusCode, 200);
});
