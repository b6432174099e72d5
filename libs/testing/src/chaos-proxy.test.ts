import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startProxy, type ChaosProxy, type ProxyOptions } from './index.ts';

/** A server that sends back whatever it gets, a proxy before it, and a way to connect through it. */
async function echoBehindProxy(context: TestContext, options: Partial<ProxyOptions> = {}) {
  const atServer: Socket[] = [];
  const server = createServer((socket) => {
    atServer.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = await startProxy({ target, ...options });
  context.after(async () => {
    await proxy.close();
    for (const socket of atServer) socket.destroy();
    server.close();
  });
  return { proxy, atServer };
}

async function through(proxy: ChaosProxy): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

/** The error a socket ends with. */
async function failure(socket: Socket): Promise<string | undefined> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code;
}

test('without faults bytes and closes pass in both directions', async (context) => {
  const { proxy } = await echoBehindProxy(context);
  const socket = await through(proxy);
  const bytes = Buffer.alloc(40 * 1024 * 1024, 'abcdefg');
  let receivedBytes = 0;
  let intact = true;
  socket.on('data', (chunk: Buffer) => {
    intact &&= chunk.equals(bytes.subarray(receivedBytes, receivedBytes + chunk.length));
    receivedBytes += chunk.length;
  });
  socket.end(bytes);
  await once(socket, 'close');
  assert.equal(receivedBytes, bytes.length);
  assert.ok(intact, 'the bytes arrive in order');
  assert.equal(proxy.connections, 0);
});

test('latency counts for each direction, and a lowered one lets nothing overtake', async (context) => {
  let seen = Promise.withResolvers<undefined>();
  const { proxy } = await echoBehindProxy(context, {
    onChunk: () => {
      seen.resolve(undefined);
      return undefined;
    },
  });
  const socket = await through(proxy);
  const roundMs = async () => {
    const startMs = performance.now();
    await echoed(socket, 'x');
    return performance.now() - startMs;
  };
  proxy.set({ toTarget: { latencyMs: 60 } });
  // Timers may fire a millisecond early.
  assert.ok((await roundMs()) >= 58);
  proxy.set({ toClient: { latencyMs: 60 } });
  assert.ok((await roundMs()) >= 116);
  seen = Promise.withResolvers();
  socket.write('1');
  // It is on its way when the latency falls.
  await seen.promise;
  proxy.set({ toTarget: {}, toClient: {} });
  socket.write('2');
  let text = '';
  for await (const bytes of socket) {
    text += (bytes as Buffer).toString();
    if (text.length === 2) break;
  }
  assert.equal(text, '12');
});

test('a dropped direction loses bytes while the connection stays, and healing resets what has a hole', async (context) => {
  const { proxy, atServer } = await echoBehindProxy(context);
  const [whole, holed] = [await through(proxy), await through(proxy)];
  assert.equal(await echoed(holed, 'before'), 'before');
  assert.equal(await echoed(whole, 'before'), 'before');
  proxy.set({ toClient: { drop: true } });
  holed.write('lost');
  const [arrived] = (await once(atServer.at(-1)!, 'data')) as [Buffer];
  assert.equal(arrived.toString(), 'lost', 'the request still arrives: only the answer vanishes');
  const reset = failure(holed);
  while (proxy.connections === 2) {
    proxy.heal();
    proxy.set({ toClient: { drop: true } });
    await new Promise(setImmediate);
  }
  assert.equal(await reset, 'ECONNRESET');
  proxy.heal();
  assert.equal(await echoed(whole, 'after'), 'after');
});

test('half-open: neither side learns that the other has gone, by a close or by a reset', async (context) => {
  const { proxy, atServer } = await echoBehindProxy(context);
  const [closing, resetting] = [await through(proxy), await through(proxy)];
  assert.equal(await echoed(closing, 'x'), 'x');
  assert.equal(await echoed(resetting, 'x'), 'x');
  proxy.halfOpen();
  closing.end();
  resetting.resetAndDestroy();
  const later = await through(proxy);
  later.write('into the void');
  await delay(50);
  for (const peer of atServer) {
    assert.equal(peer.readableEnded, false);
    assert.equal(peer.destroyed, false);
  }
  assert.equal(later.destroyed, false);
});

test('resets reach both sides, and refused connections end at once', async (context) => {
  const { proxy, atServer } = await echoBehindProxy(context);
  const socket = await through(proxy);
  assert.equal(await echoed(socket, 'x'), 'x');
  const both = Promise.all([failure(socket), failure(atServer[0]!)]);
  proxy.resetAll();
  assert.deepEqual(await both, ['ECONNRESET', 'ECONNRESET']);
  proxy.refuse(true);
  assert.equal(await failure(connect(proxy.port, '127.0.0.1')), 'ECONNRESET');
  proxy.refuse(false);
  assert.equal(await echoed(await through(proxy), 'x'), 'x');
});

test('a script decides chunk by chunk: forward, drop or reset', async (context) => {
  const { proxy } = await echoBehindProxy(context, {
    onChunk: ({ direction, bytes, connection }) => {
      if (direction === 'toTarget' && bytes.includes('die')) return 'reset';
      return connection === 1 && direction === 'toClient' ? 'drop' : undefined;
    },
  });
  const [first, second] = [await through(proxy), await through(proxy)];
  assert.equal(await echoed(first, 'x'), 'x');
  const answers: unknown[] = [];
  second.on('data', (bytes) => answers.push(bytes));
  second.write('no answer to this');
  const reset = failure(first);
  first.write('die');
  assert.equal(await reset, 'ECONNRESET');
  assert.deepEqual(answers, []);
});

test('a target that is down shows as a reset', async () => {
  await using proxy = await startProxy({ target: '127.0.0.1:1' });
  assert.equal(await failure(connect(proxy.port, '127.0.0.1')), 'ECONNRESET');
});
