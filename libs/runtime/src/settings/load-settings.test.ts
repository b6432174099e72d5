import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';
import { redactText } from '../redaction.ts';
import { loadSettings } from './load-settings.ts';
import { requireSettings } from './require-settings.ts';
import type { Settings } from './settings.ts';
import { unavailable } from './unavailable.ts';

const dir = mkdtempSync(join(tmpdir(), 'settings-'));
after(() => rmSync(dir, { recursive: true }));

function written(text: string, name = 'config.yaml'): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

function load(yaml: string, env: Record<string, string> = {}): Settings {
  return loadSettings({ file: written(yaml), env });
}

/** The problems of a configuration, its file's folder left out. */
function problems(yaml: string, env: Record<string, string> = {}): string[] {
  try {
    load(yaml, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual([error.code, error.scope, error.retry], ['bad-config', 'usage', false]);
    for (const { path, problem, fix } of error.problems) assert.ok(path !== '' && problem !== '' && fix !== '');
    return error.message
      .replaceAll(`${dir}/`, '')
      .replace(/^\d+ problems:\n {2}- /, '')
      .split('\n  - ');
  }
  return [];
}

test('nothing given: every default, and nothing that a command needs is made up', () => {
  const settings = loadSettings({ env: {} });
  assert.equal(settings.connector, 'default');
  assert.equal(settings.kafka.topicPrefix, 'genesys.');
  assert.equal(settings.kafka.transaction.maxBytes, 32 * 2 ** 20);
  assert.equal(settings.windows.sizeMs, 86_400_000);
  assert.deepEqual(settings.invalid, { maxRatio: 0.05, minimumRecords: 100 });
  assert.deepEqual(settings.retry, { tiersMs: [5000, 60_000, 600_000], attempts: 3, blocking: false });
  assert.deepEqual(settings.kafka.brokers, []);
  assert.equal(settings.genesys.clientId, undefined);
  assert.deepEqual(loadSettings({ file: written('# nothing\n'), env: {} }), settings);
});

test("the design's own example loads whole, spans and shares as numbers", () => {
  const settings = loadSettings({
    file: fileURLToPath(new URL('../../fixtures/design-example.txt', import.meta.url)),
    env: {},
  });
  assert.deepEqual(settings.windows, {
    sizeMs: 3_600_000,
    fromMs: Date.UTC(2026, 0, 1),
    rereads: [
      { ageMs: 3 * 86_400_000, everyMs: 86_400_000 },
      { ageMs: 30 * 86_400_000, everyMs: 7 * 86_400_000 },
    ],
  });
  assert.deepEqual(settings.privacy[0], { path: 'participants[].attributes', action: 'hash' });
  assert.deepEqual(settings.sinks.crm, {
    type: 'http',
    url: 'https://crm.example/in',
    headers: {},
    concurrency: 16,
    timeoutMs: 30_000,
    rate: { max: 100, perMs: 1000 },
    breaker: { errorsRatio: 0.5, over: 20, cooldownMs: 30_000 },
  });
  assert.deepEqual(unavailable(settings, 'consume'), ['a route to a sink of type s3', 'deadLetters.objects']);
  assert.deepEqual(unavailable(settings, 'publish'), ['privacy', 'deadLetters.objects']);
});

test('the environment wins over the file; empty counts as unset; lists, booleans and numbers are read', () => {
  const yaml = 'kafka: { brokers: [file:1], ssl: true }\nhttp: { port: 1 }\nlog: { level: warn }\n';
  const settings = load(yaml, {
    KAFKA_BROKERS: ' a:1, [::1]:2 ,',
    KAFKA_SSL: 'FALSE',
    HTTP_PORT: '9464',
    LOG_LEVEL: '',
    GENESYS_FILE_HOSTS: 'Files.Example:8443,localhost',
  });
  assert.deepEqual(settings.kafka.brokers, ['a:1', '[::1]:2']);
  assert.equal(settings.kafka.ssl, false);
  assert.equal(settings.http.port, 9464);
  assert.equal(settings.log.level, 'warn');
  assert.deepEqual(settings.genesys.fileHosts, ['files.example:8443', 'localhost']);
});

test('a secret may come from a file; it is hidden from then on; both at once, no file and an empty one are refused', () => {
  const file = written(' pa ss-4711-word\n', 'secret');
  const settings = loadSettings({
    env: { KAFKA_SASL_PASSWORD_FILE: file, KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' },
  });
  assert.deepEqual(settings.kafka.sasl, { mechanism: 'scram-sha-512', username: 'u', password: ' pa ss-4711-word' });
  assert.equal(redactText('with  pa ss-4711-word!'), 'with [redacted]!');
  assert.match(
    problems('', { GENESYS_CLIENT_SECRET: 'x', GENESYS_CLIENT_SECRET_FILE: file }).join(),
    /GENESYS_CLIENT_SECRET: is set, and so is/,
  );
  assert.match(
    problems('', { GENESYS_CLIENT_SECRET_FILE: join(dir, 'none') }).join(),
    /GENESYS_CLIENT_SECRET_FILE: .*ENOENT/,
  );
  assert.match(
    problems('', { SCHEMA_REGISTRY_PASSWORD_FILE: written('\n', 'empty') }).join('\n'),
    /names an empty file/,
  );
});

test('all problems at once, each with its place, what is wrong and what to write', () => {
  const yaml = `conector: x
kafka: { requestTimout: 5s, compression: zst, transaction: { maxAge: 5, maxBytes: lots } }
genesys: { apiUrl: http://api.example/x, concurrentDownloads: 9, clientId: 5 }
routes:
  - { name: a, sink: nope }
  - { name: a, sink: y, prio: high }
  - { name: unrouted, sink: y }
sinks:
  x: { type: htp }
  y: { type: http, url: 'http://user:pw@foo.example/in', rate: { max: 5, pr: 1s }, headers: { "a b": "x\\ny" } }
  z: 5
retry: { tiers: [1m, 5s] }
invalid: { max: 500% }
deadLetters: { topic: false }
windows: { from: 2026-02-30, size: }
`;
  const env = {
    KAFKA_CLIENT: 'kafkjs',
    HTTP_PORT: 'x',
    KAFKA_SASL_MECHANISM: 'plain',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  };
  assert.deepEqual(problems(yaml, env).sort(), [
    'NODE_TLS_REJECT_UNAUTHORIZED: is 0, which accepts any certificate; unset it, and name your certificate authority in NODE_EXTRA_CA_CERTS',
    'conector (config.yaml:1): is not a setting; did you mean connector?',
    'deadLetters.topic (config.yaml:14): cannot be off without deadLetters.objects: a record would have nowhere to go; set one of them',
    'genesys.apiUrl (config.yaml:3): has a path; write scheme, host and port only, paths are appended',
    'genesys.apiUrl (config.yaml:3): is a plain http: URL to another machine; write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    'genesys.clientId (config.yaml:3): is a number, not text; put it in quotes',
    'genesys.concurrentDownloads (config.yaml:3): is too large; the most is 5',
    'genesys.loginUrl (config.yaml:3): is missing next to genesys.apiUrl; set both, or genesys.region alone',
    'http.port (HTTP_PORT): is text, not a number; write a number (0–65535)',
    'invalid.max (config.yaml:13): is not a percentage; write a number from 0 to 100 and the sign, such as 5%',
    'kafka.client (KAFKA_CLIENT): is not one of kafkajs, platformatic ("kafkjs"); did you mean kafkajs?',
    'kafka.compression (config.yaml:2): is not one of zstd, gzip, none ("zst"); did you mean zstd?',
    'kafka.requestTimout (config.yaml:2): is not a setting; did you mean requestTimeout?',
    'kafka.sasl.password (config.yaml:2): is missing; add it, or set KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE',
    'kafka.sasl.username (config.yaml:2): is missing; add it, or set KAFKA_SASL_USERNAME',
    'kafka.transaction.maxAge (config.yaml:2): is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
    'kafka.transaction.maxBytes (config.yaml:2): is not a size; write a number and a unit, such as 64KiB or 16MiB',
    'retry.tiers.1 (config.yaml:12): is not longer than the tier before it; write the tiers in rising order',
    'routes.0.sink (config.yaml:5): names a sink that is not under sinks; add it there; or else: choose x, y, z',
    'routes.1.name (config.yaml:6): is the name of routes.0 already; choose another one: it names the consumer group',
    'routes.1.prio (config.yaml:6): is not a setting; known here: name, when, sink, priority, retry',
    'routes.2.name (config.yaml:7): is kept for the records that no route picks; choose another one',
    'sinks.x.type (config.yaml:9): is not a known type; did you mean http?',
    'sinks.y.headers.a b (config.yaml:10): is not a header name; use letters, digits and dashes',
    'sinks.y.rate.pr (config.yaml:10): is not a setting; did you mean per?',
    'sinks.y.url (config.yaml:10): holds a user or password; give these by their own settings',
    'sinks.y.url (config.yaml:10): is a plain http: URL to another machine; write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    'sinks.z (config.yaml:11): is a number, not a set of keys; write a set of keys',
    'windows.from (config.yaml:15): is not a date; write 2026-01-31 or, with its zone, 2026-01-31T08:00:00Z',
    'windows.size (config.yaml:15): is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
  ]);
});

test('a file that is missing, not YAML, twice the same key, or no set of keys is refused with its place', () => {
  assert.throws(
    () => loadSettings({ file: join(dir, 'none.yaml'), env: {} }),
    /--config: names a file that cannot be read \(ENOENT\): .*none\.yaml/,
  );
  assert.match(problems('a: [1,\nb: 2\n').join(), /^config\.yaml:2:\d+: is not valid YAML/);
  assert.match(
    problems('http: { port: 1 }\nhttp: { port: 2 }\n').join(),
    /^config\.yaml:2:1: is not valid YAML: Map keys must be unique/,
  );
  assert.match(problems('- a\n').join(), /config\.yaml: is not a set of keys/);
  assert.match(
    problems('kafka: 5\n', { KAFKA_BROKERS: 'a:1' }).join(),
    /kafka \(config\.yaml:1\): is a number, not a set of keys/,
  );
});

test('no secret shows in a problem', () => {
  const secret = 'canary-55-secret';
  const yaml = `kafka: { sasl: { mechanism: ${secret}, username: u, password: [${secret}] } }\nproxy: { url: 'ftp://${secret}' }\n`;
  const shown = problems(yaml, {
    GENESYS_API_URL: `https://u:${secret}@x.example`,
    GENESYS_LOGIN_URL: 'https://x.example',
  });
  assert.equal(shown.length, 4);
  assert.ok(
    !shown
      .filter((line) => !line.startsWith('kafka.sasl.mechanism'))
      .join()
      .includes(secret),
    shown.join('\n'),
  );
});

test('plain http: reaches this machine in any spelling, and others only when allowed', () => {
  for (const host of ['localhost:8081', '127.0.0.1', '[::1]:80', '127.1', '0x7f000001', 'a.localhost']) {
    assert.deepEqual(problems(`schema: { registry: 'http://${host}/apis' }`), [], host);
  }
  for (const host of [
    'registry:8081',
    '10.0.0.1',
    'localhost.example',
    '127.0.0.1.example',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ]) {
    assert.equal(problems(`schema: { registry: 'http://${host}/apis' }`).length, 1, host);
    assert.deepEqual(
      problems(`schema: { registry: 'http://${host}/apis' }`, { ALLOW_INSECURE_HTTP: 'true' }),
      [],
      host,
    );
  }
});

test('${NAME} in a sink takes the environment or a file, is hidden, and must be set', () => {
  const yaml =
    "sinks: { crm: { type: http, url: 'https://x.example', headers: { authorization: 'Bearer ${CRM_TOKEN}', x: '$${Y}', accept: application/json } } }";
  const expected = { authorization: 'Bearer canary-0815-token', x: '${Y}', accept: 'application/json' };
  for (const env of [{ CRM_TOKEN: 'canary-0815-token' }, { CRM_TOKEN_FILE: written('canary-0815-token\n', 'token') }]) {
    const sink = load(yaml, env).sinks.crm;
    assert.ok(sink?.type === 'http');
    assert.deepEqual(sink.headers, expected);
  }
  assert.equal(redactText('canary-0815-token application/json'), '[redacted] application/json');
  assert.match(
    problems(yaml).join(),
    /sinks\.crm\.headers\.authorization \(config\.yaml:1\): takes CRM_TOKEN from the environment, which has none; set CRM_TOKEN or CRM_TOKEN_FILE/,
  );
});

test('settings cannot be changed, at any depth', () => {
  const settings = load('routes: [{ name: a, sink: s }]\nsinks: { s: { type: file, path: x } }');
  assert.throws(() => Object.assign(settings.kafka, { ssl: true }), TypeError);
  assert.throws(() => (settings.routes as unknown[]).push(1), TypeError);
  assert.throws(() => Object.assign(settings.sinks.s!.breaker, { over: 1 }), TypeError);
});

test('what a command needs and has not got is told all at once, with both ways to set it', () => {
  const settings = loadSettings({ env: { GENESYS_CLIENT_ID: 'id' } });
  const needed = ['genesys.clientId', 'genesys.clientSecret', 'kafka.brokers'] as const;
  assert.throws(() => requireSettings(settings, needed), {
    code: 'bad-config',
    message:
      '2 problems:\n  - genesys.clientSecret: is needed by this command and not set; set GENESYS_CLIENT_SECRET or genesys.clientSecret in the --config file' +
      '\n  - kafka.brokers: is needed by this command and not set; set KAFKA_BROKERS or kafka.brokers in the --config file',
  });
  const id: string = requireSettings(settings, ['genesys.clientId'])['genesys.clientId'];
  assert.equal(id, 'id');
});

test('a feature that is not built is refused only where a command would use it', () => {
  const settings = load(`
routes: [{ name: a, sink: f, retry: { blocking: true } }]
sinks: { f: { type: file, path: x }, unused: { type: s3, bucket: b } }
kafka: { client: platformatic }
schema: { format: avro }
`);
  assert.deepEqual(unavailable(settings, 'publish'), ['kafka.client: platformatic', 'schema.format other than json']);
  assert.deepEqual(unavailable(settings, 'consume'), ['kafka.client: platformatic', 'schema.format other than json']);
  assert.equal(settings.schema.compatibility, 'BACKWARD');
  assert.deepEqual(unavailable(loadSettings({ env: {} }), 'consume'), []);
});
