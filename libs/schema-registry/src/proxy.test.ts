import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { connectRegistry } from './connect.ts';

/** Refuses every tunnel; notes where they were to lead, and with which login. */
async function refusingProxy() {
  const asked: { readonly target: string | undefined; readonly login: string | undefined }[] = [];
  const server = createServer()
    .on('connect', ({ url, headers }: IncomingMessage, socket: Socket) => {
      asked.push({ target: url, login: headers['proxy-authorization'] });
      socket.end('HTTP/1.1 407 No\r\n\r\n');
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, asked, [Symbol.dispose]: () => void server.close() };
}

const failureOf = async (registry: string, proxy?: { url: string; bypass: string[] }) =>
  connectRegistry({ schema: { registry }, ...(proxy ? { proxy } : {}) })
    .check()
    .then(
      () => assert.fail('it answered'),
      (error: unknown) => error as Error & { code: string },
    );

test('an https: registry is reached through the proxy, one to pass by and an http: one directly', async () => {
  using proxy = await refusingProxy();
  const url = `http://user:canary@${proxy.host}`;
  const refused = await failureOf('https://registry.invalid/api', { url, bypass: [] });
  assert.equal(refused.code, 'registry-unreachable');
  assert.match(refused.message, /registry\.invalid/);
  const login = `Basic ${Buffer.from('user:canary').toString('base64')}`;
  assert.deepEqual(proxy.asked[0], { target: 'registry.invalid:443', login });
  assert.doesNotMatch(inspect(refused, { depth: 12 }), /canary|dXNlcjpjYW5hcnk/);

  const tunnels = proxy.asked.length;
  const direct = [
    await failureOf('https://registry.invalid/api', { url, bypass: ['registry.invalid'] }),
    await failureOf('https://registry.invalid/api', { url, bypass: ['.invalid'] }),
    await failureOf('http://registry.invalid/api', { url, bypass: [] }),
  ];
  for (const { message } of direct) assert.match(message, /ENOTFOUND|EAI_AGAIN/);
  assert.equal(proxy.asked.length, tunnels);
});

test('no proxy of the environment is used', async () => {
  using proxy = await refusingProxy();
  const before = { ...process.env };
  Object.assign(process.env, { HTTPS_PROXY: `http://${proxy.host}`, HTTP_PROXY: `http://${proxy.host}` });
  try {
    assert.match((await failureOf('https://registry.invalid/api')).message, /ENOTFOUND|EAI_AGAIN/);
    assert.deepEqual(proxy.asked, []);
  } finally {
    process.env = before;
  }
});
