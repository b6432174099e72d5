import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from './settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'producer-settings-'));
after(() => rmSync(dir, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}) {
  const file = join(dir, 'config.yaml');
  writeFileSync(file, yaml);
  return loadSettings(SETTINGS, { file, env });
}

function problems(yaml: string, env: Record<string, string> = {}): string[] {
  try {
    load(yaml, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`).sort();
  }
  return [];
}

test('nothing given: every default, and nothing that a command needs is made up', () => {
  const settings = loadSettings(SETTINGS, { env: {} });
  assert.equal(settings.connector, 'default');
  assert.deepEqual(settings.kafka, {
    brokers: [],
    ssl: false,
    allowInsecureLogin: false,
    compression: 'zstd',
    topicPrefix: 'genesys.',
    partitions: 6,
    transaction: { maxAgeMs: 5000, maxBytes: 32 * 2 ** 20 },
    requestTimeoutMs: 5000,
  });
  assert.deepEqual(settings.windows, {
    sizeMs: 86_400_000,
    checkEveryMs: 60_000,
    retryAfterMs: 600_000,
    rereads: [
      { ageMs: 259_200_000, everyMs: 86_400_000 },
      { ageMs: 2_592_000_000, everyMs: 604_800_000 },
    ],
    maxRecords: 400_000,
    stallAfterMs: 3_600_000,
  });
  assert.deepEqual(settings.schema, { compatibility: 'FORWARD', register: 'auto' });
  assert.deepEqual(settings.invalid, { maxRatio: 0.05, minimumRecords: 100 });
  assert.deepEqual(settings.record, { maxBytes: 16 * 2 ** 20, maxDepth: 256 });
  assert.deepEqual(settings.archive, { maxRatio: 200, maxBytes: 64 * 2 ** 30 });
  assert.deepEqual(settings.spool, { dir: join(tmpdir(), 'genesys-kafka') });
  assert.equal(settings.genesys.clientId, undefined);
});

test('lists of the environment are read, hosts in lower case', () => {
  const { genesys } = load('', {
    GENESYS_FILE_HOSTS: 'Files.Example:8443,localhost',
    GENESYS_REGION: 'MyPureCloud.de',
  });
  assert.deepEqual(genesys.fileHosts, ['files.example:8443', 'localhost']);
  assert.equal(genesys.region, 'mypurecloud.de');
});

test('what makes no sense together, or would send secrets in the clear, is told with all else', () => {
  const yaml = `
genesys: { apiUrl: http://api.example/x, concurrentDownloads: 11 }
schema: { username: u, compatibility: FORWRD }
kafka: { transaction: { maxAge: 5, maxBytes: lots } }
invalid: { max: 500% }
windows: { size: , from: 2026-02-30 }
`;
  assert.deepEqual(
    problems(yaml, { KAFKA_SASL_MECHANISM: 'plain', NODE_TLS_REJECT_UNAUTHORIZED: '0', HTTP_PORT: 'x' }),
    [
      'NODE_TLS_REJECT_UNAUTHORIZED: is 0, which accepts any certificate; unset it, and name your certificate authority in NODE_EXTRA_CA_CERTS',
      'genesys.apiUrl: has a path; write scheme, host and port only, paths are appended',
      'genesys.apiUrl: is a plain http: URL to another machine; write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
      'genesys.concurrentDownloads: is too large; the most is 10',
      'genesys.loginUrl: is missing next to genesys.apiUrl; set both, or genesys.region alone',
      'http.port: is text, not a number; write a number (0–65535)',
      'invalid.max: is not a percentage; write a number from 0 to 100 and the sign, such as 5%',
      'kafka.sasl.password: is missing; add it, or set KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE',
      'kafka.sasl.username: is missing; add it, or set KAFKA_SASL_USERNAME',
      'kafka.transaction.maxAge: is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
      'kafka.transaction.maxBytes: is not a size; write a number and a unit, such as 64KiB or 16MiB',
      'schema.compatibility: is not one of NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE ("FORWRD"); did you mean FORWARD?',
      'schema.password: is missing next to schema.username; set both or neither',
      'windows.from: is not a moment; write a day such as 2026-01-31, or 2026-01-31T08:00:00Z',
      'windows.size: is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
    ],
  );
});

test('no secret shows in a problem', () => {
  const secret = 'canary-55-secret';
  const shown = problems(`proxy: { url: 'ftp://${secret}' }\n`, {
    GENESYS_API_URL: `https://u:${secret}@x.example`,
    GENESYS_LOGIN_URL: 'https://x.example',
  });
  assert.equal(shown.length, 2);
  assert.ok(!shown.join().includes(secret), shown.join('\n'));
});

test('plain http: reaches this machine in any spelling, and others only when allowed', () => {
  const here = ['localhost:8081', '127.0.0.1', '[::1]:80', '127.1', '0x7f000001', 'a.localhost', '[::ffff:127.0.0.1]'];
  for (const host of here) assert.deepEqual(problems(`schema: { registry: 'http://${host}/apis' }`), [], host);
  for (const host of ['registry:8081', '10.0.0.1', 'localhost.example', '127.0.0.1.example', '0.0.0.0']) {
    const yaml = `schema: { registry: 'http://${host}/apis' }`;
    assert.equal(problems(yaml).length, 1, host);
    assert.deepEqual(problems(yaml, { ALLOW_INSECURE_HTTP: 'true' }), [], host);
  }
});

test('a Kafka login without TLS reaches this machine only, unless it is allowed', () => {
  const login = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'canary-password' };
  const at = (brokers: string, env: Record<string, string> = login) => problems('', { ...env, KAFKA_BROKERS: brokers });
  for (const here of ['localhost:9092', '127.0.0.1:9092', '[::1]:9092']) assert.deepEqual(at(here), [], here);
  for (const mechanism of ['plain', 'scram-sha-256', 'SCRAM-SHA-512']) {
    for (const there of ['kafka:9092', '10.0.0.1:9092', '127.0.0.1:9092,kafka-2:9092', '[::2]:9092']) {
      assert.deepEqual(at(there, { ...login, KAFKA_SASL_MECHANISM: mechanism }), [
        'kafka.sasl: would go to another machine without TLS, and the password could be read on the way; ' +
          'set KAFKA_SSL=true, or ALLOW_INSECURE_KAFKA=true where the network is trusted',
      ]);
    }
  }
  assert.deepEqual(at('kafka:9092', { ...login, KAFKA_SSL: 'true' }), []);
  assert.deepEqual(at('kafka:9092', { ...login, ALLOW_INSECURE_KAFKA: 'true' }), []);
  assert.deepEqual(at('kafka:9092', {}), []);
});

test('a certificate is for brokers over TLS', () => {
  const shown = { KAFKA_CERT_FILE: 'cert.pem', KAFKA_KEY_FILE: 'key.pem', KAFKA_KEY_PASSPHRASE: 'canary-passphrase' };
  assert.deepEqual(problems('', shown), ['kafka.tls: is for connections over TLS; set KAFKA_SSL=true']);
  assert.deepEqual(problems('', { ...shown, KAFKA_SSL: 'true' }), []);
});

test('a transaction may not grow as old as the brokers let one be', () => {
  assert.deepEqual(problems('kafka: { transaction: { maxAge: 20s } }'), []);
  assert.deepEqual(problems('kafka: { transaction: { maxAge: 21s } }'), [
    'kafka.transaction.maxAge: is too long; the most is 20s',
  ]);
});
