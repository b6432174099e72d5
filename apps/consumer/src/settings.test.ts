import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from './settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'consumer-settings-'));
after(() => rmSync(dir, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}) {
  const file = join(dir, 'config.yaml');
  writeFileSync(file, yaml);
  return loadSettings(SETTINGS, { file, env });
}

function problems(yaml: string): string[] {
  try {
    load(yaml);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`).sort();
  }
  return [];
}

test('nothing given: every default, and no route or sink is made up', () => {
  const settings = loadSettings(SETTINGS, { env: {} });
  assert.deepEqual(settings.retry, { tiersMs: [5000, 60_000, 600_000], attempts: 3, blocking: false });
  assert.equal(settings.unrouted, 'dead-letter');
  assert.deepEqual([settings.routes, settings.sinks], [[], {}]);
  assert.deepEqual(settings.consumer, {
    inFlightRecords: 500,
    inFlightBytes: 2 ** 20,
    commitRecords: 1000,
    commitEveryMs: 1000,
    sessionTimeoutMs: 30_000,
    revokeGraceMs: 10_000,
    stopGraceMs: 25_000,
  });
});

test('sinks and routes as they are written, spans and shares as numbers', () => {
  const { sinks, routes } = load(`
routes:
  - { name: voice, when: 'record.n == 1.0', sink: crm, priority: high }
  - { name: all, sink: disk, retry: { blocking: true } }
sinks:
  crm: { type: http, url: https://crm.example/in, rate: { max: 100, per: 1s }, breaker: { errors: 40%, over: 20, cooldown: 30s } }
  disk: { type: file, path: /data/all.ndjson }
`);
  const shares = { rateFloor: 0.1, replayShare: 0.2, weights: { high: 16, normal: 4, low: 1 } };
  const breaker = { errorsRatio: 0.5, over: 20, cooldownMs: 30_000, maxWaitMs: 300_000 };
  assert.deepEqual(sinks, {
    crm: {
      type: 'http',
      url: 'https://crm.example/in',
      method: 'POST',
      headers: {},
      batch: { records: 1, bytes: 2 ** 20, ageMs: 0 },
      body: {},
      pages: 'refused',
      expressions: { path: {}, headers: {} },
      concurrency: 16,
      ...shares,
      timeoutMs: 30_000,
      rate: { max: 100, perMs: 1000 },
      breaker: { ...breaker, errorsRatio: 0.4 },
    },
    disk: {
      type: 'file',
      path: '/data/all.ndjson',
      rotate: { bytes: undefined, ageMs: undefined },
      sync: 'batch',
      concurrency: 16,
      ...shares,
      breaker,
    },
  });
  const usual = { from: 'earliest', conflict: 'dead-letter' };
  assert.deepEqual(routes, [
    { ...{ name: 'voice', when: 'record.n == 1.0', sink: 'crm', priority: 'high', retry: {} }, ...usual },
    { ...{ name: 'all', sink: 'disk', priority: 'normal', retry: { blocking: true } }, ...usual },
  ]);
});

test('routes and sinks that do not fit each other are told with all else', () => {
  const yaml = `
routes:
  - { name: a, sink: nope }
  - { name: a, sink: y, prio: high }
  - { name: unrouted, sink: y }
  - { name: run, sink: y }
sinks:
  x: { type: htp }
  s: { type: ftp, bucket: b }
  y: { type: http, url: 'http://user:pw@foo.example/in', rate: { max: 5, pr: 1s }, headers: { "a b": "x\\ny" } }
  z: 5
retry: { tiers: [1m, 5s] }
deadLetters: { topic: false }
dedLetters: { topic: false }
`;
  const kinds = SETTINGS.fields.find(({ path }) => path.join('.') === 'sinks.*.type')!.kind;
  assert.match(kinds, /^http \| postgres \| /);
  assert.deepEqual(problems(yaml), [
    'deadLetters.topic: is off, and there is no other place for dead letters; set deadLetters.objects.bucket, or leave the topic on',
    'dedLetters: is not a setting; did you mean deadLetters?',
    'retry.tiers.1: is not longer than the tier before it; write the tiers in rising order',
    'routes.0.sink: names a sink that is not under sinks; add it there; or else: choose x, s, y, z',
    'routes.1.name: is the name of routes.0 already; choose another one: it names the consumer group',
    'routes.1.prio: is not a setting; known here: name, when, from, reshape, sink, priority, conflict, retry',
    'routes.2.name: is kept for the records that no route picks; choose another one',
    'routes.3.name: is kept: its consumer group is the one by which processes of `producer run` share their work; choose another one',
    `sinks.s.type: is not a known type; choose one of ${kinds.replaceAll(' | ', ', ')}`,
    'sinks.x.type: is not a known type; did you mean http?',
    'sinks.y.headers.a b: is not a header name; use letters, digits and dashes',
    'sinks.y.rate.pr: is not a setting; did you mean per?',
    'sinks.y.url: holds a user or password; give these by their own settings',
    'sinks.y.url: is a plain http: URL to another machine; write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    'sinks.z: is a number, not a set of keys; write a set of keys (type, …)',
  ]);
});

test('a file is written by one sink; routes may share that', () => {
  const yaml = (other: string) => `
routes: [{ name: a, sink: a }, { name: b, sink: ${other} }]
sinks: { a: { type: file, path: /data/x }, b: { type: file, path: /data/y/../x } }
`;
  assert.deepEqual(problems(yaml('b')), [
    'sinks.b.path: is the file of a already; choose another one, or let its routes deliver to a',
  ]);
  assert.deepEqual(problems(yaml('a')), []);
});

test('a fault of a sink is told once, by what sinks of its type have', () => {
  const of = (sink: string) => problems(`sinks: { x: ${sink} }`);
  assert.deepEqual(of('{ type: postgres, url: "http://u@db.example/app", table: t }'), [
    'sinks.x.url: is not a URL such as postgres://user@db.example/app; correct it',
  ]);
  assert.deepEqual(of('{ type: http, url: "http://crm.example/" }').length, 1);
  const gate = 'concurrency, rate, rateFloor, weights, replayShare, breaker';
  assert.deepEqual(of('{ type: file, path: /x, url: "https://crm.example" }'), [
    `sinks.x.url: is not a setting; known here: type, ${gate}, path, rotate, sync`,
  ]);
  assert.deepEqual(of('{ type: http, url: "https://x.example", auth: { type: bearer, token: t, password: p } }'), [
    'sinks.x.auth.password: is not a setting; known here: type, token',
  ]);
  assert.deepEqual(of('{ type: file, path: /x, breaker: { errors: 0% } }'), [
    'sinks.x.breaker.errors: would open the circuit without a failure; write more than 0%',
  ]);
});

test('headers of objects are those that say how they are kept, and a value is not repeated', () => {
  const yaml = (headers: string) => `
routes: [{ name: a, sink: x }]
sinks: { x: { type: s3, bucket: records, headers: ${headers} } }
`;
  const given = { 'x-amz-acl': 'bucket-owner-full-control', 'X-Amz-Server-Side-Encryption-AWS-KMS-Key-Id': 'arn:k/1' };
  const { x } = load(yaml(JSON.stringify(given))).sinks;
  assert.deepEqual(x?.type === 's3' ? x.headers : undefined, given);
  for (const name of ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-aclx', 'content-type'])
    assert.match(
      problems(yaml(`{ ${name}: canary }`)).join('\n'),
      /^sinks\.x\.headers\S* is not a header that an object can be written with; such are x-amz-acl, \S/,
    );
  for (const value of ['', 'canary\\n', 'canary ä'])
    assert.match(
      problems(yaml(`{ x-amz-acl: "${value}" }`)).join('\n'),
      /^sinks\.x\.headers\.x-amz-acl: is empty, or has characters that a header of S3 cannot carry; correct it$/,
    );
});

test('a route to a sink that keeps records as they are has no reshape', () => {
  const yaml = (type: string) => `
routes: [{ name: a, sink: x, reshape: { body: record } }]
sinks: { x: ${type} }
`;
  assert.deepEqual(problems(yaml('{ type: s3, bucket: records }')), [
    'routes.0.reshape: is of no use to a sink that keeps records as they are; leave it out, or choose a sink of another type',
  ]);
  assert.equal(load(yaml('{ type: file, path: /x }')).routes.length, 1);
});

test('a bucket of dead letters that can be none is told, not tried', () => {
  for (const bucket of ['UPPER_/x', 'a b', 'ab', 'x?y']) {
    assert.deepEqual(problems(`deadLetters: { objects: { bucket: '${bucket}' } }`), [
      'deadLetters.objects.bucket: is not a name that a bucket can have; write 3 to 255 letters, digits, dots and dashes',
    ]);
  }
});

test('what a route says and nothing would read is refused: retries of whole batches, headers and keys where there are none', () => {
  const yaml = (route: string, sink: string) => `
routes: [{ name: a, sink: x, ${route} }]
sinks: { x: ${sink} }
`;
  const sinks = {
    s3: '{ type: s3, bucket: records }',
    kafka: '{ type: kafka, topic: t }',
    file: '{ type: file, path: /x }',
    postgres: '{ type: postgres, url: postgres://h/d, table: t }',
    http: '{ type: http, url: https://crm.example/in }',
  };
  const read = {
    retry: 'retry: { attempts: 1 }',
    headers: 'reshape: { headers: { x-a: "1" } }',
    key: 'reshape: { key: "1" }',
    conflict: 'conflict: delivered',
  };
  const found = Object.entries(sinks).map(([type, sink]) => {
    const parts = Object.entries(read).filter(([, route]) =>
      problems(yaml(route, sink)).some((one) => one.includes('of no use')),
    );
    return [type, parts.map(([part]) => part).join()];
  });
  assert.deepEqual(Object.fromEntries(found), {
    s3: 'retry,headers,key,conflict',
    kafka: 'retry,headers,key,conflict',
    file: 'headers,key,conflict',
    postgres: 'headers,conflict',
    http: '',
  });
  assert.deepEqual(problems(yaml(read.key, sinks.file)), [
    'routes.0.reshape.key: is of no use to a sink without keys; leave it out, or choose a sink of another type',
  ]);
});

test('how other brokers are reached goes with their names, and a certificate with TLS', () => {
  const at = (options: string) => problems(`sinks: { x: { type: kafka, topic: t, ${options} } }`);
  const own = 'is for another cluster; name its brokers, or leave ssl, tls and sasl to the section kafka';
  assert.deepEqual(at('ssl: true'), [`sinks.x.ssl: ${own}`]);
  assert.deepEqual(at('tls: { certFile: c, keyFile: k }'), [`sinks.x.tls: ${own}`]);
  assert.deepEqual(at('brokers: [b:9093], tls: { certFile: c, keyFile: k }'), [
    'sinks.x.tls: is for connections over TLS; set ssl: true',
  ]);
  assert.deepEqual(at('brokers: [b:9093], ssl: true, tls: { certFile: c, keyFile: k }'), []);
});

test('headers of a shape are refused where a request holds several records', () => {
  const yaml = (records: number) => `
routes: [{ name: a, sink: x, reshape: { headers: { x-a: 'record.a' } } }]
sinks: { x: { type: http, url: https://crm.example/in, batch: { records: ${records} } } }
`;
  assert.deepEqual(problems(yaml(10)), [
    'routes.0.reshape.headers: are for requests of one record, and those of this sink hold several, or a list; leave them out, or set batch.records to 1 and leave body.format out',
  ]);
  assert.equal(load(yaml(1)).routes.length, 1);
});

test('${NAME} in a sink takes the environment', () => {
  const yaml =
    "sinks: { crm: { type: http, url: 'https://x.example', headers: { authorization: 'Bearer ${CRM_TOKEN}' } } }";
  const sink = load(yaml, { CRM_TOKEN: 'canary-0815-token' }).sinks.crm;
  assert.ok(sink?.type === 'http');
  assert.deepEqual(sink.headers, { authorization: 'Bearer canary-0815-token' });
  assert.match(problems(yaml).join(), /sinks\.crm\.headers\.authorization: takes CRM_TOKEN from the environment/);
});

test('a route begins at the earliest or latest record or at a moment; anything else is told', () => {
  const routes = (from: string) =>
    load(`
routes: [{ name: a, sink: d, from: ${from} }]
sinks: { d: { type: file, path: /data/all.ndjson } }
`).routes[0]!.from;
  assert.equal(routes('latest'), 'latest');
  assert.equal(routes('2026-01-31'), Date.UTC(2026, 0, 31));
  assert.equal(routes('2026-01-31T08:00:00Z'), Date.UTC(2026, 0, 31, 8));
  assert.deepEqual(problems('routes: [{ name: a, sink: d, from: newest }]\nsinks: { d: { type: file, path: /d } }'), [
    'routes.0.from: is neither earliest nor latest nor a moment; write a day such as 2026-01-31, or 2026-01-31T08:00:00Z',
  ]);
});
