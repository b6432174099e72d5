import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { buffer as readAll } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { forgetBody, placeHolder, writingBodies } from './request-bodies.ts';

const HEAD = Buffer.from('header');
const MIB = 1024 * 1024;

/** As kafkajs writes it: its length, what comes before the body, the body. */
function request(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(HEAD.length + body.length);
  return Buffer.concat([length, HEAD, body]);
}

/** A socket, and all that its other end receives. */
async function pipe(t: TestContext): Promise<{ readonly socket: Socket; readonly received: Promise<Buffer> }> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const received = once(server, 'connection').then(async ([end]) => readAll(end as Socket));
  received.catch(() => undefined);
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return { socket: writingBodies(socket), received };
}

test('the socket writes the body that a place-holder stands for, and other requests as they are', async (t) => {
  const { socket, received } = await pipe(t);
  const bodies = [Buffer.alloc(3 * MIB, 'a'), Buffer.alloc(17, 'b')];
  const expected = [request(Buffer.from('plain')), ...bodies.map(request)];
  socket.write(request(Buffer.from('plain')));
  for (const body of bodies) socket.write(request(placeHolder(body)));
  socket.end();
  assert((await received).equals(Buffer.concat(expected)));
});

test('a body that is written has given its memory back', async (t) => {
  const { socket, received } = await pipe(t);
  const body = Buffer.alloc(MIB, 'a');
  socket.write(request(placeHolder(body)));
  assert.equal(body.buffer.byteLength, MIB, 'not before it is written');
  socket.end();
  assert.equal((await received).length, MIB + 10);
  assert.equal(body.buffer.byteLength, 0);
});

test('a request that is over is never written: its connection ends', async (t) => {
  const { socket } = await pipe(t);
  const place = placeHolder(Buffer.from('body'));
  forgetBody(place);
  const failed = once(socket, 'error');
  socket.write(request(place));
  assert.match(String(await failed), /is over/);
});
