import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { clientCertificate, clientKey, clientPassphrase } from '../../../fixtures/client-certificate.ts';
import { deliveries } from '../../../fixtures/deliveries.ts';
import { httpSink, httpTarget, type Seen } from '../../../fixtures/http-target.ts';
import { certificate, key } from '../../../fixtures/loopback-certificate.ts';
import { createHttpSink } from '../http-sink.ts';

const never = new AbortController().signal;

test('bearer and basic are headers of each request', async (t) => {
  const { seen, origin } = await httpTarget(t);
  await httpSink(t, { url: origin, auth: { type: 'bearer', token: 'c4n4ry' } }).deliver(deliveries(1), never);
  const basic = { type: 'basic', username: 'käthe', password: 'c4n4ry:x' } as const;
  await httpSink(t, { url: origin, auth: basic }).deliver(deliveries(1), never);
  const encoded = Buffer.from('käthe:c4n4ry:x').toString('base64');
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    ['Bearer c4n4ry', `Basic ${encoded}`],
  );
});

/** As a target would that knows only the page of the docs. */
function isSigned({ method, path, headers, body }: Seen, secret: string, nowMs: number): boolean {
  const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['x-signature'])) ?? [];
  if (Math.abs(nowMs / 1000 - Number(seconds)) > 300) return false;
  const lines = [seconds, method, path, headers['idempotency-key'], headers['record-version'] ?? '', ''].join('\n');
  return (
    createHmac('sha256', secret)
      .update(Buffer.concat([Buffer.from(lines), body]))
      .digest('hex') === hex
  );
}

test('a signature holds for what was sent, alone and in batches, and for nothing else', async (t) => {
  const { seen, origin } = await httpTarget(t);
  const signature = { secret: 'c4n4ry-c4n4ry-c4n4ry', header: 'X-Signature', algorithm: 'sha256' } as const;
  const url = `${origin}/in?x=1`;
  await httpSink(t, { url, signature }).deliver(deliveries(1), never);
  const batch = { records: 10, bytes: 1e6, ageMs: 0 };
  await httpSink(t, { url, signature, batch }).deliver(deliveries(3), never);
  assert.equal(seen.length, 2);
  for (const one of seen) {
    assert.ok(isSigned(one, signature.secret, Date.now()));
    assert.ok(!isSigned(one, signature.secret, Date.now() + 400_000), 'too old');
    assert.ok(!isSigned(one, 'another secret', Date.now()));
    for (const changed of [
      { ...one, method: 'PUT' },
      { ...one, path: '/in' },
      { ...one, body: Buffer.concat([one.body, Buffer.from(' ')]) },
      { ...one, headers: { ...one.headers, 'idempotency-key': 'job:2' } },
      { ...one, headers: { ...one.headers, 'record-version': '99' } },
    ])
      assert.ok(!isSigned(changed, signature.secret, Date.now()));
  }
});

function files(t: TestContext, contents: Record<string, string>): Record<string, string> {
  const dir = mkdtempSync(join(tmpdir(), 'client-tls-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return Object.fromEntries(
    Object.entries(contents).map(([name, text]) => {
      writeFileSync(join(dir, name), text);
      return [name, join(dir, name)];
    }),
  );
}

test('a target that wants a certificate of ours gets it; without one nothing is delivered, and check says so', async (t) => {
  const asking = { cert: certificate, key, ca: clientCertificate, requestCert: true, rejectUnauthorized: true };
  const target = await httpTarget(t, undefined, (listener) => {
    const server = createServer(asking, listener);
    server.on('tlsClientError', () => undefined);
    return server;
  });
  const url = `https://localhost:${target.port}/in`;
  const { cert, secretKey, ca, otherKey } = files(t, {
    cert: clientCertificate,
    secretKey: clientKey,
    ca: certificate,
    otherKey: key,
  });
  const tls = { certFile: cert, keyFile: secretKey, passphrase: clientPassphrase, caFile: ca };
  const ours = httpSink(t, { url, tls });
  await ours.check(never);
  assert.deepEqual(await ours.deliver(deliveries(1), never), [{ kind: 'delivered' }]);
  assert.deepEqual(
    target.seen.map(({ method }) => method),
    ['HEAD', 'POST'],
  );

  const [nobody] = await httpSink(t, { url, tls: { caFile: ca } }).deliver(deliveries(1), never);
  // What Node's server does; an alert of OpenSSL is a `tls-refused`.
  assert.ok(nobody?.kind === 'retry' && nobody.failure.cause === 'connection-reset', JSON.stringify(nobody));
  const { wrong } = files(t, { wrong: certificate });
  const stranger = httpSink(t, { url, tls: { certFile: wrong, keyFile: otherKey, caFile: ca } });
  await assert.rejects(stranger.check(never), /takes the certificate in tls\.certFile/);
  await assert.rejects(httpSink(t, { url, tls: { ...tls, caFile: undefined } }).check(never), {
    code: 'sink-refused',
    message: /SELF_SIGNED.*name its authority in tls\.caFile/,
  });
  const [untrusted] = await httpSink(t, { url, tls: { ...tls, caFile: undefined } }).deliver(deliveries(1), never);
  assert.equal(untrusted?.kind, 'misconfigured');

  const refused: [object, RegExp][] = [
    [{ ...tls, passphrase: 'c4n4ry-wrong' }, /tls\.keyFile does not open/],
    [{ ...tls, keyFile: otherKey }, /tls\.keyFile .*does not fit/],
    [{ ...tls, certFile: '/nowhere.pem' }, /tls\.certFile names \/nowhere\.pem, which cannot be read \(ENOENT\)/],
    [{ ...tls, caFile: secretKey }, /tls\.caFile names .*, which holds no certificate/],
    [{ certFile: cert }, /tls\.keyFile is missing/],
    [{ keyFile: secretKey }, /tls\.certFile is missing/],
  ];
  for (const [options, problem] of refused)
    assert.throws(
      () => createHttpSink({ name: 'crm', url, tls: options }),
      (error: Error) => {
        assert.match(error.message, problem);
        assert.doesNotMatch(error.message, /c4n4ry/);
        return true;
      },
    );
  assert.throws(() => createHttpSink({ name: 'crm', url: 'http://127.0.0.1/', tls }), /needs an https: url/);
});

test('what contradicts itself is refused', () => {
  const base = { name: 'crm', url: 'https://crm.example/' };
  const auth = { type: 'bearer', token: 'c4n4ry' } as const;
  assert.throws(() => createHttpSink({ ...base, auth, headers: { Authorization: 'x' } }), /both given/);
  for (const wrong of [
    { type: 'bearer', token: 'c4n4ry\r\nx: y' },
    { type: 'bearer', token: 'c4n4ry ü' },
    { type: 'basic', username: 'a:b', password: 'c4n4ry' },
    {
      type: 'oauth',
      tokenUrl: 'http://login.example/',
      clientId: 'a',
      clientSecret: 'c4n4ry',
      credentials: 'header',
    },
  ] as const)
    assert.throws(
      () => createHttpSink({ ...base, auth: wrong }),
      (error: Error) => {
        assert.match(error.message, /"crm": auth\.(token|username|tokenUrl) /);
        assert.doesNotMatch(error.message, /c4n4ry/);
        return true;
      },
    );
  const signature = { secret: 'c4n4ry-c4n4ry-c4n4ry', header: 'Content-Length', algorithm: 'sha256' } as const;
  assert.throws(() => createHttpSink({ ...base, signature }), /signature\.header is set by the sink itself/);
});
