import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Delivery, DeliveryOutcome } from '@genesys-kafka/delivery';
import { listen } from '../../fixtures/listen.ts';
import { certificate, key } from '../../fixtures/loopback-certificate.ts';
import type { HttpSinkOptions } from './http-options.ts';
import { createHttpSink } from './http-sink.ts';

const CANARY = 'Bearer c4n4ry-s3cret';
const never = new AbortController().signal;
const delivery = (body = '{"conversationId":"c"}'): Delivery => ({
  route: 'r',
  body: Buffer.from(body),
  key: 'c',
  idempotencyKey: 'job:7',
  recordVersion: 42n,
  contentType: 'application/json',
  headers: {},
});

/** Has the process trust a certificate for the rest of a test, as `tls.caFile` does for good. */
function trust(t: TestContext, pem: string): void {
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, pem]);
  t.after(() => setDefaultCACertificates(usual));
}

function sinkFor(t: TestContext, port: number, options: Partial<HttpSinkOptions> = {}) {
  const sink = createHttpSink({
    name: 'crm',
    url: `http://127.0.0.1:${port}/in?token=q`,
    timeoutMs: 60_000,
    ...options,
  });
  t.after(() => sink.close());
  const deliver = async (one: Delivery, signal: AbortSignal) => (await sink.deliver([one], signal))[0]!;
  return { deliver, check: async (signal: AbortSignal) => sink.check(signal) };
}

async function target(t: TestContext, listener: RequestListener, options: Partial<HttpSinkOptions> = {}) {
  return sinkFor(t, await listen(t, createServer(listener)), options);
}

test('headers of a reshaped record go along, and never in the place of ours', async (t) => {
  let headers: IncomingMessage['headers'] = {};
  const sink = await target(
    t,
    (request, response) => {
      headers = request.headers;
      response.writeHead(204).end();
    },
    { headers: { 'x-team': 'blue', 'x-media': 'none' } },
  );
  await sink.deliver({ ...delivery(), shapedHeaders: { 'x-media': 'voice', 'idempotency-key': 'forged' } }, never);
  assert.deepEqual([headers['x-team'], headers['x-media'], headers['idempotency-key']], ['blue', 'voice', 'job:7']);
});

test('sends the bytes of the record as they are, with key, version, length and our headers', async (t) => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const sink = await target(
    t,
    (request, response) =>
      void text(request).then((body) => {
        seen.push({ request, body });
        response.writeHead(204).end();
      }),
    { headers: { Authorization: CANARY } },
  );
  const body = '{ "n": 9007199254740993,\n "t": "Grüße \\ud83d" }';
  assert.deepEqual(await sink.deliver(delivery(body), never), { kind: 'delivered' });
  assert.equal(seen.length, 1);
  const { request } = seen[0]!;
  assert.equal(seen[0]!.body, body);
  assert.equal(request.method, 'POST');
  assert.equal(request.url, '/in?token=q');
  for (const [name, value] of Object.entries({
    'content-length': String(Buffer.byteLength(body)),
    'content-type': 'application/json',
    'idempotency-key': 'job:7',
    'record-version': '42',
    authorization: CANARY,
  }))
    assert.equal(request.headers[name], value, name);
  assert.equal(request.headers['transfer-encoding'], undefined);
});

test('each class of answers has its outcome, and no answer body or secret is in it', async (t) => {
  let answer: { status: number; headers?: Record<string, string>; body?: string } = { status: 200 };
  let requests = 0;
  const sink = await target(
    t,
    (request, response) => {
      requests += 1;
      request.resume();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    },
    { headers: { authorization: CANARY } },
  );
  const on = async (next: typeof answer) => {
    answer = next;
    const outcome = await sink.deliver(delivery(), never);
    assert.doesNotMatch(JSON.stringify(outcome), /c4n4ry|personal|token/);
    return outcome;
  };
  const body = 'personal data';
  assert.equal((await on({ status: 201, body })).kind, 'delivered');
  for (const status of [400, 410, 413, 422]) {
    const outcome = await on({ status, body });
    assert.deepEqual(outcome.kind === 'rejected' && outcome.failure.cause, `http-${status}`);
  }
  for (const status of [401, 403]) assert.equal((await on({ status, body })).kind, 'misconfigured');
  for (const status of [404, 405, 407, 408, 421, 425, 429, 500, 503])
    assert.equal((await on({ status, body })).kind, 'retry');
  const later = await on({ status: 503, headers: { 'retry-after': '7' } });
  assert.equal(later.kind === 'retry' && later.retryAfterMs, 7000);
  const date = await on({ status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } });
  assert.ok(date.kind === 'retry' && date.retryAfterMs! > 50_000 && date.retryAfterMs! <= 61_000);

  assert.equal((await on({ status: 409, body })).kind, 'rejected');
  assert.equal((await on({ status: 409, body: '{"existing":"job:70"}' })).kind, 'rejected');
  assert.equal((await on({ status: 409, body: '{"existing":"job:7"}' })).kind, 'delivered');
  assert.equal((await on({ status: 409, headers: { 'idempotency-key': 'job:7' } })).kind, 'delivered');

  requests = 0;
  assert.equal((await on({ status: 307, headers: { location: '/elsewhere' } })).kind, 'misconfigured');
  assert.equal(requests, 1, 'the redirect was not followed');
});

test('a target that never answers, or stops in the middle of a failing answer, costs the time-out', async (t) => {
  const silent = await target(t, (request) => void request.resume(), { timeoutMs: 100 });
  assert.deepEqual(await silent.deliver(delivery(), never), {
    kind: 'retry',
    failure: { cause: 'timeout', reason: 'no complete answer within 100 ms' },
  });

  const stalled =
    (status: number) =>
    (request: IncomingMessage, response: { writeHead: (s: number) => { write: (b: string) => unknown } }) => {
      request.resume();
      response.writeHead(status).write('half');
    };
  // Time enough for the status to arrive on a busy machine.
  const timeoutMs = 5000;
  const [done, failing] = await Promise.all(
    [200, 503].map(async (status) => (await target(t, stalled(status), { timeoutMs })).deliver(delivery(), never)),
  );
  assert.equal(done!.kind, 'delivered', 'the status had arrived');
  assert.equal(failing!.kind === 'retry' && failing!.failure.cause, 'http-503');
});

test('a half-open connection (accepted, then silence) is a time-out', async (t) => {
  const port = await listen(
    t,
    createTcpServer(() => undefined),
  );
  const outcome = await sinkFor(t, port, { timeoutMs: 100 }).deliver(delivery(), never);
  assert.equal(outcome.kind === 'retry' && outcome.failure.cause, 'timeout');
});

test('a reset is tried once more at once with the same key, then it is a retry', async (t) => {
  const keys: (string | undefined)[] = [];
  let resets = 1;
  const sink = await target(t, (request, response) => {
    keys.push(request.headers['idempotency-key'] as string);
    request.resume().on('end', () => {
      if (resets-- > 0) request.socket.resetAndDestroy();
      else response.end();
    });
  });
  assert.equal((await sink.deliver(delivery(), never)).kind, 'delivered');
  assert.deepEqual(keys, ['job:7', 'job:7']);
  resets = 5;
  const outcome = await sink.deliver(delivery(), never);
  assert.equal(outcome.kind === 'retry' && outcome.failure.cause, 'connection-reset');
  assert.equal(keys.length, 4);
});

test('garbage instead of HTTP, and nobody listening, are retries with a stable cause', async (t) => {
  const garbage = createTcpServer((socket) => socket.end('SSH-2.0-nope\r\n\r\n'));
  const outcome = await sinkFor(t, await listen(t, garbage)).deliver(delivery(), never);
  assert.equal(outcome.kind, 'retry');

  const gone = createTcpServer();
  gone.listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  const refused = await sinkFor(t, port).deliver(delivery(), never);
  assert.equal(refused.kind === 'retry' && refused.failure.cause, 'connection-refused');
  await assert.rejects(sinkFor(t, port).check(never), (error: Error) => {
    assert.match(error.message, /ECONNREFUSED/);
    assert.doesNotMatch(error.message, /token/);
    return true;
  });
});

test('an abort rejects with its reason, in the middle of requests too and long before their time is up', async (t) => {
  const server = createServer((request) => void request.resume());
  const sink = sinkFor(t, await listen(t, server), { timeoutMs: 60_000 });
  const abort = new AbortController();
  const pending = [sink.deliver(delivery(), abort.signal), sink.deliver(delivery(), abort.signal)];
  const other = sink.deliver(delivery(), never);
  setImmediate(() => abort.abort(new Error('stopping')));
  const began = performance.now();
  for (const one of pending) await assert.rejects(one, /stopping/);
  assert.ok(performance.now() - began < 30_000);
  assert.equal(await Promise.race([other, Promise.resolve('goes on')]), 'goes on');
  other.catch(() => undefined);
  await assert.rejects(sink.deliver(delivery(), abort.signal), /stopping/);
});

test('an answer without end is cut off, and the record is delivered', async (t) => {
  const sink = await target(t, (request, response) => {
    request.resume();
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const begun = performance.now();
  assert.equal((await sink.deliver(delivery(), never)).kind, 'delivered');
  assert.ok(performance.now() - begun < 50_000, 'not by the time-out');
});

test('deliveries share so many connections and no more, and use them again', async (t) => {
  let opened = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('ok'));
  });
  server.on('connection', () => (opened += 1));
  const sink = sinkFor(t, await listen(t, server), { maxConnections: 3 });
  const outcomes = await Promise.all(Array.from({ length: 30 }, async () => sink.deliver(delivery(), never)));
  assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
  assert.equal(opened, 3);
});

test('TLS is verified: an unknown certificate opens the circuit, a configured CA is trusted, check says which', async (t) => {
  const server = createTlsServer({ cert: certificate, key }, (request, response) => {
    request.resume();
    response.end();
  });
  const port = await listen(t, server);
  server.on('tlsClientError', () => undefined);
  const url = `https://localhost:${port}/`;
  const strict = sinkFor(t, port, { url });
  // Whatever the environment says.
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  const outcome: DeliveryOutcome = await strict.deliver(delivery(), never);
  assert.equal(outcome.kind, 'misconfigured');
  assert.equal(outcome.failure.cause, 'tls-refused');
  await assert.rejects(strict.check(never), (error: Error & { code?: string; retry?: boolean }) => {
    assert.deepEqual([error.code, error.retry], ['sink-refused', false]);
    assert.match(error.message, /tls\.caFile/);
    return true;
  });

  trust(t, certificate);
  const trusting = sinkFor(t, port, { url });
  assert.equal((await trusting.deliver(delivery(), never)).kind, 'delivered');
  await trusting.check(never);
});

test('check connects without sending a request', async (t) => {
  let requests = 0;
  const sink = await target(t, () => void (requests += 1));
  await sink.check(never);
  assert.equal(requests, 0);
  await assert.rejects(sink.check(AbortSignal.abort(new Error('stop'))), /stop/);
});

test('settings that cannot work are refused without repeating a secret', () => {
  for (const options of [
    { url: 'nonsense' },
    { url: 'ftp://example.org/' },
    { url: 'http://example.org/c4n4ry' },
    { url: 'https://u:c4n4ry@example.org/' },
    { url: 'https://example.org/', headers: { authorization: `${CANARY}\r\nx: y` } },
    { url: 'https://example.org/', headers: { 'Content-Length': '1' } },
    { url: 'https://example.org/', timeoutMs: 0 },
    { url: 'https://example.org/', maxConnections: 1.5 },
  ])
    assert.throws(
      () => createHttpSink({ name: 'crm', ...options }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'sink-option-invalid');
        assert.match(error.message, /"crm"/);
        assert.doesNotMatch(error.message, /c4n4ry/);
        return true;
      },
    );
});

test('an https target is reached through the proxy, its certificate checked; a host to pass by is reached directly', async (t) => {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(String(request.url));
    const [host, port] = String(request.url).split(':');
    const upstream = connect(Number(port), host);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.pipe(socket).pipe(upstream);
  });
  const url = `http://127.0.0.1:${await listen(t, proxy)}`;
  const seen: string[] = [];
  const server = createTlsServer({ key, cert: certificate }, (request, response) => {
    seen.push(String(request.method));
    request.resume().on('end', () => response.writeHead(204).end());
  });
  const port = await listen(t, server);
  const target = { url: `https://localhost:${port}/in` };
  const proxied = { ...target, proxy: { url, bypass: [] } };
  const refused = await sinkFor(t, 0, proxied).deliver(delivery(), never);
  assert.equal(refused.kind, 'misconfigured');
  assert.ok(tunnels.length > 0);
  tunnels.length = 0;
  trust(t, certificate);
  const through = sinkFor(t, 0, proxied);
  assert.deepEqual(await through.deliver(delivery(), never), { kind: 'delivered' });
  await through.check(never);
  assert.deepEqual(seen, ['POST', 'HEAD']);
  assert.ok(tunnels.length > 0 && tunnels.every((asked) => asked === `localhost:${port}`), tunnels.join());
  tunnels.length = 0;
  const direct = sinkFor(t, 0, { ...target, proxy: { url, bypass: ['localhost'] } });
  assert.deepEqual(await direct.deliver(delivery(), never), { kind: 'delivered' });
  assert.deepEqual(tunnels, []);
  const away = sinkFor(t, 0, { ...target, proxy: { url: 'http://127.0.0.1:9', bypass: [] } });
  assert.equal((await away.deliver(delivery(), never)).kind, 'retry');
  await assert.rejects(away.check(never), { code: 'sink-unreachable' });
});

test('a target that sends 100 Continue unasked gets each record, and one twice at most, with the same key', async (t) => {
  const keys: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      keys.push(/idempotency-key: (\S+)/i.exec(chunk.toString('latin1'))![1]!);
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      setImmediate(() => socket.writable && socket.write('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n'));
    });
  });
  const port = await listen(t, server);
  const sink = sinkFor(t, port, { maxConnections: 1 });
  for (const idempotencyKey of ['job:1', 'job:2', 'job:3'])
    assert.deepEqual(await sink.deliver({ ...delivery(), idempotencyKey }, never), { kind: 'delivered' });
  assert.deepEqual(keys, ['job:1', 'job:1', 'job:2', 'job:3']);
  const abort = new AbortController();
  abort.abort(new Error('stopping'));
  await assert.rejects(sink.deliver(delivery(), abort.signal), /stopping/);
});

test('a request tells when it is written, once it has its connection, and again where it is repeated', async (t) => {
  let resets = 1;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (resets-- > 0) request.socket.resetAndDestroy();
      else response.end();
    });
  });
  const sink = createHttpSink({ name: 'crm', url: `http://127.0.0.1:${await listen(t, server)}/` });
  t.after(() => sink.close());
  let written = 0;
  await sink.deliver([delivery()], never, () => (written += 1));
  assert.equal(written, 2);
});
