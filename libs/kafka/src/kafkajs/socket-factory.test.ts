import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { ClientIdentity } from '@genesys-kafka/http';
import {
  clientPair,
  strangerPair,
  testAuthority,
  trustedPair,
  type KeyPair,
} from '@genesys-kafka/testing/certificates';
import { createKafkaClient } from './client.ts';
import { createSocketFactory } from './socket-factory.ts';

/** Takes every connection and keeps its first bytes. */
let server: Server;
let received: Buffer[];

before(async () => {
  received = [];
  server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', (bytes) => {
        received.push(bytes);
        socket.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(() => server.close());

const port = () => (server.address() as AddressInfo).port;

test('a login goes to no other machine without TLS', async () => {
  const sasl = { mechanism: 'plain', username: 'u', password: 'canary-password' } as const;
  // 192.0.2.0/24 belongs to nobody: a connection would time out, not be refused.
  const client = createKafkaClient({ clientId: 't', brokers: ['192.0.2.1:9092'], sasl });
  await assert.rejects(client.admin.brokers(), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'login-insecure');
    assert.match(error.message, /192\.0\.2\.1:9092.*KAFKA_SSL=true.*ALLOW_INSECURE_KAFKA=true/);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
  await client.close();
});

test('without a login, or where it is allowed, and to this machine, a plain connection is made', async () => {
  const onConnect = () => undefined;
  const refusing = createSocketFactory({ refusesPlaintext: true });
  const plain = { port: port(), ssl: undefined as unknown as tls.ConnectionOptions, onConnect };
  for (const make of [
    () => refusing({ ...plain, host: '127.0.0.1' }),
    () => refusing({ ...plain, host: 'localhost' }),
    () => createSocketFactory({ refusesPlaintext: false })({ ...plain, host: '192.0.2.1' }),
  ]) {
    make()
      .on('error', () => undefined)
      .destroy();
  }
  assert.throws(() => refusing({ ...plain, host: '192.0.2.1' }), { code: 'login-insecure' });
});

test('TLS to a broker is 1.2 or later, whatever the process is told to allow', async () => {
  const allowed = tls.DEFAULT_MIN_VERSION;
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  try {
    const make = createSocketFactory({ refusesPlaintext: true });
    const ssl = { ciphers: 'DEFAULT@SECLEVEL=0' };
    const socket = make({ host: '127.0.0.1', port: port(), ssl, onConnect: () => undefined });
    await new Promise<void>((resolve) => socket.on('error', () => undefined).once('close', () => resolve()));
  } finally {
    tls.DEFAULT_MIN_VERSION = allowed;
  }
  assert.deepEqual(offeredVersions(received.at(-1)!), ['304', '303']);
});

test('a certificate that is replaced is shown from the next connection on; half replaced, the last one is', async (t) => {
  const server = tls.createServer({ ...trustedPair, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const dir = await mkdtemp(join(tmpdir(), 'identity-'));
  t.after(async () => rm(dir, { recursive: true }));
  const [certFile, keyFile] = ['cert', 'key'].map((name) => join(dir, `${name}.pem`)) as [string, string];
  const write = async ({ cert, key }: KeyPair) => Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  await write(clientPair);

  const identity = new ClientIdentity({ certFile, keyFile }, (option, problem) => new Error(`${option} ${problem}`));
  const told: string[] = [];
  const make = createSocketFactory({
    refusesPlaintext: true,
    identity: () => identity.now((error) => told.push((error as Error).message)),
  });
  const shown = async () => {
    const taken = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const ssl = { ca: testAuthority };
    const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const socket = make({ ...address, ssl, onConnect: () => undefined });
    const [peer] = await taken;
    const { subject } = peer.getPeerCertificate();
    for (const end of [socket, peer]) end.on('error', () => undefined).destroy();
    return subject.CN;
  };
  assert.equal(await shown(), 'app');
  await writeFile(certFile, strangerPair.cert);
  assert.equal(await shown(), 'app');
  assert.match(told.join(), /^keyFile does not open with the passphrase given, or does not fit the certificate/);
  await writeFile(keyFile, strangerPair.key);
  assert.equal(await shown(), 'localhost');
  await rm(certFile);
  assert.equal(await shown(), 'localhost');
  assert.match(told.at(-1)!, /^certFile names .*cert\.pem, which cannot be read \(ENOENT\)/);
  assert.equal(told.length, 2);
});

test('a connection that failed and that many let go of is called no leak', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  try {
    const ssl = undefined as unknown as tls.ConnectionOptions;
    const make = createSocketFactory({ refusesPlaintext: true });
    const socket = make({ host: '127.0.0.1', port: port(), ssl, onConnect: () => undefined });
    await new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy());
    for (let callers = 0; callers < 20; callers += 1) socket.unref();
    await new Promise<void>((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', onWarning);
  }
  assert.deepEqual(warnings, []);
});

/** The extension `supported_versions` (43) of a ClientHello: a list with its length in one byte. */
function offeredVersions(hello: Buffer): string[] {
  const at = [...hello.keys()].find((index) => {
    const length = hello[index + 4]!;
    return hello.readUInt16BE(index) === 43 && hello.readUInt16BE(index + 2) === length + 1 && length % 2 === 0;
  })!;
  const versions = hello.subarray(at + 5, at + 5 + hello[at + 4]!);
  return Array.from({ length: versions.length / 2 }, (_, index) => versions.readUInt16BE(2 * index).toString(16));
}
