import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TEST_SETTINGS } from '../../fixtures/test-settings.ts';
import { ConfigError } from '../errors.ts';
import { redactText } from '../redaction.ts';
import { loadSettings } from './load-settings.ts';
import { requireSettings } from './require-settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'settings-'));
after(() => rmSync(dir, { recursive: true }));

function written(text: string, name = 'config.yaml'): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

function load(yaml: string, env: Record<string, string> = {}) {
  return loadSettings(TEST_SETTINGS, { file: written(yaml), env });
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
  const settings = loadSettings(TEST_SETTINGS, { env: {} });
  assert.equal(settings.connector, 'default');
  assert.deepEqual(settings.bus, {
    brokers: [],
    ssl: false,
    compression: 'zstd',
    requestTimeoutMs: 5000,
    maxBytes: 32 * 2 ** 20,
  });
  assert.equal(settings.invalid.max, 0.05);
  assert.equal(settings.api.clientId, undefined);
  assert.deepEqual(loadSettings(TEST_SETTINGS, { file: written('# nothing\n'), env: {} }), settings);
});

test('the environment wins over the file; empty counts as unset; lists, booleans and numbers are read', () => {
  const yaml = 'bus: { brokers: [file:1], ssl: true }\nlog: { level: warn }\n';
  const settings = load(yaml, { BUS_BROKERS: ' a:1, [::1]:2 ,', BUS_SSL: 'FALSE', LOG_LEVEL: '' });
  assert.deepEqual(settings.bus.brokers, ['a:1', '[::1]:2']);
  assert.equal(settings.bus.ssl, false);
  assert.equal(settings.log.level, 'warn');
});

test('flags win over both, and are checked as in the file', () => {
  const file = written('bus: { compression: none }\n');
  const flags = { 'bus.compression': { flag: '--compression', text: 'gzip' } };
  const env = { BUS_COMPRESSION: 'zstd' };
  assert.equal(loadSettings(TEST_SETTINGS, { file, env, flags }).bus.compression, 'gzip');
  const wrong = { 'bus.requestTimeout': { flag: '--request-timeout', text: '5' } };
  assert.throws(
    () => loadSettings(TEST_SETTINGS, { env, flags: wrong }),
    /bus\.requestTimeout \(--request-timeout\): is not a duration/,
  );
});

test('a secret may come from a file; it is hidden from then on; both at once, no file and an empty one are refused', () => {
  const file = written(' pa ss-4711-word\n', 'secret');
  const settings = loadSettings(TEST_SETTINGS, {
    env: { BUS_SASL_PASSWORD_FILE: file, BUS_SASL_USERNAME: 'u', BUS_SASL_MECHANISM: 'SCRAM-SHA-512' },
  });
  assert.deepEqual(settings.bus.sasl, { mechanism: 'scram-sha-512', username: 'u', password: ' pa ss-4711-word' });
  assert.equal(redactText('with  pa ss-4711-word!'), 'with [redacted]!');
  assert.match(
    problems('', { API_CLIENT_SECRET: 'x', API_CLIENT_SECRET_FILE: file }).join(),
    /API_CLIENT_SECRET: is set, and so is/,
  );
  assert.match(problems('', { API_CLIENT_SECRET_FILE: join(dir, 'none') }).join(), /API_CLIENT_SECRET_FILE: .*ENOENT/);
  assert.match(problems('', { API_CLIENT_SECRET_FILE: written('\n', 'empty') }).join('\n'), /names an empty file/);
});

test('all problems at once, each with its place, what is wrong and what to write', () => {
  const yaml = `conector: x
bus: { requestTimout: 5s, compression: zst, maxBytes: lots, sasl: { mechanism: plain } }
api: { url: https://api.example/x, downloads: 9, clientId: 5 }
routes:
  - { target: nope }
  - { target: y, prio: high }
targets:
  x: { type: htp }
  y: { type: http, url: 'http://user:pw@foo.example/in', timeout: , headers: { "a b": "x" } }
  z: 5
invalid: { max: 500% }
window: {}
`;
  assert.deepEqual(problems(yaml, { LOG_LEVEL: 'wrn', BUS_SSL: 'x' }).sort(), [
    'api.clientId (config.yaml:3): is a number, not text; put it in quotes',
    'api.downloads (config.yaml:3): is too large; the most is 5',
    'api.loginUrl (config.yaml:3): is missing next to api.url; set both',
    'api.url (config.yaml:3): has a path; write scheme, host and port only, paths are appended',
    'bus.compression (config.yaml:2): is not one of zstd, gzip, none ("zst"); did you mean zstd?',
    'bus.maxBytes (config.yaml:2): is not a size; write a number and a unit, such as 64KiB or 16MiB',
    'bus.requestTimout (config.yaml:2): is not a setting; did you mean requestTimeout?',
    'bus.sasl.password (config.yaml:2): is missing; add it, or set BUS_SASL_PASSWORD or BUS_SASL_PASSWORD_FILE',
    'bus.sasl.username (config.yaml:2): is missing; add it, or set BUS_SASL_USERNAME',
    'bus.ssl (BUS_SSL): is text, not true or false; write true or false',
    'conector (config.yaml:1): is not a setting; did you mean connector?',
    'invalid.max (config.yaml:11): is not a percentage; write a number from 0 to 100 and the sign, such as 5%',
    'log.level (LOG_LEVEL): is not one of trace, debug, info, warn, error, fatal, silent ("wrn"); did you mean warn?',
    'routes.0.target (config.yaml:5): names no target; add it',
    'routes.1.prio (config.yaml:6): is not a setting; known here: target',
    'targets.x.type (config.yaml:8): is not a known type; did you mean http?',
    'targets.y.headers.a b (config.yaml:9): is not a header name; use letters and dashes',
    'targets.y.timeout (config.yaml:9): is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
    'targets.y.url (config.yaml:9): holds a user or password; give these by their own settings',
    'targets.z (config.yaml:10): is a number, not a set of keys; write a set of keys (type, …)',
    'window (config.yaml:12): is not a setting; did you mean windows?',
  ]);
});

test('what another program reads is accepted and not looked at: neither its values nor its variables', () => {
  const settings = load('windows: { size: [nonsense, "${NOT_SET}"] }\nbus: { partitions: many, ssl: true }\n');
  assert.equal(settings.bus.ssl, true);
  assert.ok(!('windows' in settings) && !('partitions' in settings.bus));
});

test('a file that is missing, not YAML, twice the same key, or no set of keys is refused with its place', () => {
  assert.throws(
    () => loadSettings(TEST_SETTINGS, { file: join(dir, 'none.yaml'), env: {} }),
    /--config: names a file that cannot be read \(ENOENT\): .*none\.yaml/,
  );
  assert.match(problems('a: [1,\nb: 2\n').join(), /^config\.yaml:2:\d+: is not valid YAML/);
  assert.match(
    problems('log: { level: info }\nlog: { level: warn }\n').join(),
    /^config\.yaml:2:1: is not valid YAML: Map keys must be unique/,
  );
  assert.match(problems('log: {}\n---\nlog: {}\n').join(), /^config\.yaml:2:1: begins another document/);
  assert.match(problems('- a\n').join(), /config\.yaml: is not a set of keys/);
  assert.match(
    problems('bus: 5\n', { BUS_BROKERS: 'a:1' }).join(),
    /bus \(config\.yaml:1\): is a number, not a set of keys; write a set of keys \(brokers, ssl, sasl, .*, partitions\)/,
  );
});

test('no secret shows in a problem', () => {
  const secret = 'canary-55-secret';
  const yaml = `bus: { sasl: { mechanism: ${secret}, username: u, password: [${secret}] } }\n`;
  const shown = problems(yaml, { API_URL: `https://u:${secret}@x.example`, API_LOGIN_URL: 'https://x.example' });
  assert.equal(shown.length, 3);
  assert.ok(
    !shown
      .filter((line) => !line.startsWith('bus.sasl.mechanism'))
      .join()
      .includes(secret),
    shown.join('\n'),
  );
});

test('${NAME} where a section allows it takes the environment or a file, is hidden, and must be set', () => {
  const yaml = `targets: { crm: { type: http, url: 'https://x.example', headers:
    { authorization: 'Bearer \${CRM_TOKEN}', x: '$\${Y}', accept: application/json, token: canary-in-file-9 } } }
connector: $\{CRM_TOKEN}`;
  const literal = yaml.replace(/\nconnector.*/, '');
  const expected = {
    authorization: 'Bearer canary-0815-token',
    x: '${Y}',
    accept: 'application/json',
    token: 'canary-in-file-9',
  };
  for (const env of [{ CRM_TOKEN: 'canary-0815-token' }, { CRM_TOKEN_FILE: written('canary-0815-token\n', 'token') }]) {
    const target = load(literal, env).targets.crm;
    assert.ok(target?.type === 'http');
    assert.deepEqual(target.headers, expected);
    assert.match(problems(yaml, env).join(), /^connector \(config\.yaml:3\): has \$\{…\}, which is not replaced here/);
  }
  assert.equal(redactText('canary-0815-token application/json'), '[redacted] application/json');
  assert.equal(redactText('it was canary-in-file-9'), 'it was [redacted]');
  assert.match(
    problems(literal).join(),
    /targets\.crm\.headers\.authorization \(config\.yaml:2\): takes CRM_TOKEN from the environment, which has none; set CRM_TOKEN or CRM_TOKEN_FILE/,
  );
  assert.match(
    problems(literal, { CRM_TOKEN_FILE: join(dir, 'none') }).join('; '),
    /^CRM_TOKEN_FILE: names a file that cannot be read \(ENOENT\): [^;]*; correct the path or the permissions$/,
  );
  assert.match(
    problems('targets: { s: { type: file, path: "${not a name}" } }').join(),
    /^targets\.s\.path \(config\.yaml:1\): has \$\{…\} around what is no variable's name; write \$\$\{ for a literal/,
  );
});

test('${NAME} elsewhere, in a setting with a variable of its own, is refused where that does not set it', () => {
  const yaml = 'bus: { brokers: ["$\{HOST}:1"], sasl: { mechanism: plain, username: u, password: "$\{BUS_PW}" } }';
  assert.deepEqual(problems(yaml, { BUS_PW: 'canary-of-bus' }), [
    'bus.brokers.0 (config.yaml:1): has ${…}, which is not replaced here; leave it out, and set BUS_BROKERS',
    'bus.sasl.password (config.yaml:1): has ${…}, which is not replaced here; leave it out, and set BUS_SASL_PASSWORD or BUS_SASL_PASSWORD_FILE',
    'bus.brokers.0 (config.yaml:1): is not host:port; write both, such as broker-1:9092',
  ]);
  const password = 'a $\{word} that somebody chose';
  const env = { BUS_BROKERS: 'host:1', BUS_SASL_PASSWORD: password };
  assert.equal(load(yaml, env).bus.sasl?.password, password);
});

test('a port past 65535, and a kind of target that is not said, are one problem each', () => {
  assert.deepEqual(problems('bus: { brokers: [a, "b:70000"] }\ntargets: { x: { url: https://x.example } }'), [
    'bus.brokers.0 (config.yaml:1): is not host:port; write both, such as broker-1:9092',
    'bus.brokers.1 (config.yaml:1): has a port past 65535; correct it',
    'targets.x.type (config.yaml:2): is missing; add it: http | file',
  ]);
});

test('a secret is hidden wherever it was given, in a configuration that is refused too; what is none is not', () => {
  load(`api: { clientSecret: canary-of-the-file, clientId: client-of-the-file }`);
  assert.equal(redactText('canary-of-the-file client-of-the-file'), '[redacted] client-of-the-file');
  const env = {
    API_CLIENT_SECRET: 'canary-of-the-env',
    API_CLIENT_ID: 'client-of-the-env',
    BUS_BROKERS: 'broker-of-env:1',
  };
  assert.notDeepEqual(problems('bus: { maxBytes: none }', env), []);
  assert.equal(
    redactText('canary-of-the-env client-of-the-env broker-of-env:1'),
    '[redacted] client-of-the-env broker-of-env:1',
  );
});

test('settings cannot be changed, at any depth', () => {
  const settings = load('routes: [{ target: s }]\ntargets: { s: { type: file, path: x } }');
  assert.throws(() => Object.assign(settings.bus, { ssl: true }), TypeError);
  assert.throws(() => (settings.routes as unknown[]).push(1), TypeError);
  assert.throws(() => Object.assign(settings.targets.s!, { path: 'y' }), TypeError);
});

test('what a command needs and has not got is told all at once, with both ways to set it', () => {
  const settings = loadSettings(TEST_SETTINGS, { env: { API_CLIENT_ID: 'id' } });
  const needed = ['api.clientId', 'api.clientSecret', 'bus.brokers'] as const;
  assert.throws(() => requireSettings(settings, needed), {
    code: 'bad-config',
    message:
      '2 problems:\n  - api.clientSecret: is needed by this command and not set; set API_CLIENT_SECRET or api.clientSecret in the --config file' +
      '\n  - bus.brokers: is needed by this command and not set; set BUS_BROKERS or bus.brokers in the --config file',
  });
  const id: string = requireSettings(settings, ['api.clientId'])['api.clientId'];
  assert.equal(id, 'id');
});
