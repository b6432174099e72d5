import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, Socket } from 'node:net';
import { test } from 'node:test';
import tls, { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { listen } from '../../../fixtures/listen.ts';
import { certificate, key } from '../../../fixtures/loopback-certificate.ts';
import { Ending } from './ending.ts';
import { createHttpSink } from '../http-sink.ts';
import { NodeClient } from './node-client.ts';

const never = new AbortController().signal;

test('the client that takes the place of undici asks for the same TLS', async (t) => {
  const asked: unknown[] = [];
  t.mock.method(tls, 'connect', ({ minVersion, rejectUnauthorized }: tls.ConnectionOptions) => {
    asked.push([minVersion, rejectUnauthorized]);
    return new Socket().destroy(new Error('far enough'));
  });
  const target = { origin: 'https://localhost', path: '/in', hostname: 'localhost', port: 443, secure: true };
  const client = new NodeClient(target, 1);
  await assert.rejects(
    client.send({
      method: 'POST',
      path: '/in',
      keepBytes: 0,
      headers: {},
      body: Buffer.from('{}'),
      ending: new Ending(),
      onWritten: () => undefined,
    }),
    /far enough/,
  );
  await client.close();
  assert.deepEqual(asked, [['TLSv1.2', true]]);
});

test('a request of that client tells when it is written, once', async (t) => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  const port = await listen(t, server);
  const target = { origin: `http://127.0.0.1:${port}`, path: '/in', hostname: '127.0.0.1', port, secure: false };
  const client = new NodeClient(target, 1);
  t.after(async () => client.close());
  let written = 0;
  const { statusCode } = await client.send({
    method: 'POST',
    path: '/in',
    keepBytes: 0,
    headers: {},
    body: Buffer.from('{}'),
    ending: new Ending(),
    onWritten: () => (written += 1),
  });
  assert.deepEqual([statusCode, written], [200, 1]);
});

test('a request of that client ends before its answer where it is told to', async (t) => {
  const port = await listen(
    t,
    createServer((request) => void request.resume()),
  );
  const target = { origin: `http://127.0.0.1:${port}`, path: '/in', hostname: '127.0.0.1', port, secure: false };
  const client = new NodeClient(target, 1);
  t.after(async () => client.close());
  const ending = new Ending();
  const onWritten = () => ending.end(new Error('enough'));
  await assert.rejects(
    client.send({ method: 'POST', path: '/in', keepBytes: 0, headers: {}, body: Buffer.from('{}'), ending, onWritten }),
    {
      name: 'AbortError',
    },
  );
});

test('a target that goes over to another protocol unasked has closed the connection, and nobody waits for its answer', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n');
    });
  });
  const port = await listen(t, server);
  const target = { origin: `http://127.0.0.1:${port}`, path: '/in', hostname: '127.0.0.1', port, secure: false };
  const client = new NodeClient(target, 1);
  t.after(async () => client.close());
  const [ending, onWritten] = [new Ending(), () => undefined];
  await assert.rejects(
    client.send({ method: 'POST', path: '/in', keepBytes: 0, headers: {}, body: Buffer.from('{}'), ending, onWritten }),
    { code: 'ECONNRESET' },
  );
});

test('100 Continue unasked behind a proxy opens the circuit with its cause: the other client knows no proxy', async (t) => {
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, certificate]);
  t.after(() => setDefaultCACertificates(usual));
  const server = createTlsServer({ key, cert: certificate }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n');
    });
  });
  const port = await listen(t, server);
  const proxy = createServer().on('connect', (_request, socket: Socket) => {
    const upstream = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.pipe(socket).pipe(upstream);
  });
  const url = `http://127.0.0.1:${await listen(t, proxy)}`;
  const sink = createHttpSink({ name: 'crm', url: `https://localhost:${port}/in`, proxy: { url, bypass: [] } });
  t.after(() => sink.close());
  const delivery = {
    ...{
      route: 'r',
      key: 'c',
      idempotencyKey: 'job:7',
      recordVersion: 42n,
      contentType: 'application/json',
      headers: {},
    },
    body: Buffer.from('{}'),
  };
  for (let record = 0; record < 2; record += 1) {
    const [outcome] = await sink.deliver([delivery], never);
    assert.ok(outcome?.kind === 'misconfigured', JSON.stringify(outcome));
    assert.equal(outcome.failure.cause, 'continue-unasked');
  }
});
