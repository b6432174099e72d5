import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import {
  BROKEN_SOURCES,
  GOOD_SOURCES,
  INVALID_RECORDS,
  REFUSED_SOURCES,
  writeSources,
  type SourceCase,
} from '../../fixtures/bad-sources.ts';
import { runProducer, startSimulator, type Ended } from '../../fixtures/processes.ts';
import { arrayOf, conversation, conversations } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, type Published } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const servers = useServers();

/** Exactly one JSON document on stdout. */
function reportOf({ stdout, stderr }: Ended): Report {
  assert.equal(stdout.split('\n').length, 2, `stdout is one line: ${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Report;
}

async function hasTopics(prefix: string): Promise<boolean> {
  return (await servers.client.admin.describeTopic(topicSpecs({ prefix }).data.name)) !== undefined;
}

const DAY = ['--from', '2025-10-01', '--to', '2025-10-02'];
/** Nothing listens on port 1: a command that is wrong in itself must not even try. */
const NOWHERE = {
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  GENESYS_API_URL: 'http://127.0.0.1:1',
  GENESYS_LOGIN_URL: 'http://127.0.0.1:1',
  GENESYS_CLIENT_ID: 'id',
  GENESYS_CLIENT_SECRET: 'canary-secret',
};

interface UsageCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: string;
  /** What stderr says. */
  readonly says: RegExp;
}

const USAGE: readonly UsageCase[] = [
  { name: 'no command', args: [], says: /Usage: producer/ },
  { name: 'an unknown command', args: ['exprot'], says: /unknown command 'exprot'/ },
  { name: 'an unknown option', args: ['export', ...DAY, '--agian'], says: /unknown option '--agian'/ },
  { name: 'no interval', args: ['export'], says: /--from/ },
  { name: 'no source', args: ['publish'], says: /source/ },
  { name: 'an unknown contract', args: ['export', ...DAY, '--contract', 'soap'], says: /bad-argument: --contract/ },
  {
    name: 'an interval that ends before it starts',
    args: ['export', '--from', '2025-10-02', '--to', '2025-10-01'],
    says: /bad-interval:/,
  },
  { name: 'an empty interval', args: ['export', '--from', '2025-10-02', '--to', '2025-10-02'], says: /bad-interval:/ },
  {
    name: 'a time without a zone',
    args: ['export', '--from', '2025-10-01T00:00:00', '--to', '2025-10-02'],
    says: /bad-argument: --from/,
  },
  {
    name: '31 February',
    args: ['export', '--from', '2026-02-01', '--to', '2026-02-31'],
    says: /bad-argument: --to is "2026-02-31"/,
  },
  { name: 'a window of seconds', args: ['export', ...DAY, '--window', '5s'], says: /bad-argument: --window/ },
  {
    name: 'a query file that is missing',
    args: ['export', ...DAY, '--query', '/no/such/file'],
    says: /bad-argument: --query/,
  },
  { name: 'an s3: source without a bucket', args: ['publish', 's3:///a.zip'], says: /s3-source-malformed:/ },
  { name: 'an ftp: source', args: ['publish', 'ftp://host/a.zip'], says: /source-unsupported:/ },
  {
    name: 'an unknown key',
    args: ['publish', 'a.zip'],
    config: 'kafka:\n  brokers: [127.0.0.1:1]\n  brokkers: [127.0.0.1:2]\n',
    says: /bad-config: .*brokkers/s,
  },
  { name: 'a file that is not YAML', args: ['publish', 'a.zip'], config: 'kafka: [', says: /bad-config:/ },
  {
    name: 'a region by its AWS name',
    args: ['export', ...DAY],
    env: { GENESYS_REGION: 'eu-central-1', GENESYS_API_URL: '', GENESYS_LOGIN_URL: '' },
    says: /mypurecloud\.de/,
  },
  {
    name: 'a region that is no host',
    args: ['export', ...DAY],
    env: { GENESYS_REGION: 'frankfurt', GENESYS_API_URL: '', GENESYS_LOGIN_URL: '' },
    says: /region/,
  },
  { name: 'no secret', args: ['export', ...DAY], env: { GENESYS_CLIENT_SECRET: '' }, says: /GENESYS_CLIENT_SECRET/ },
  { name: 'no broker', args: ['publish', 'a.zip'], env: { KAFKA_BROKERS: '' }, says: /KAFKA_BROKERS/ },
];

for (const { name, args, env, config, says } of USAGE) {
  test(`${name}: status 2, told on stderr, and nothing is contacted`, async () => {
    const file = join(servers.dir, 'config.yaml');
    if (config !== undefined) await writeFile(file, config);
    const options = [...args, ...(config === undefined ? [] : ['--config', file]), '--json'];
    const result = await runProducer(args.length === 0 ? [] : options, { ...NOWHERE, ...env });
    assert.match(result.stderr, says);
    assert.equal(result.status, 2, result.stderr);
    assert.equal(result.stdout, '');
    assert.doesNotMatch(result.stderr, /canary|unexpected|ECONNREFUSED/);
  });
}

test('a broker that nobody can reach ends the run with 1 within 20 seconds', async () => {
  const startedMs = performance.now();
  const result = await runProducer(['publish', await aSource(), '--json'], {
    ...servers.env(uniquePrefix()),
    KAFKA_BROKERS: '127.0.0.1:1',
  });
  assert.match(result.stderr, /error: broker-unreachable: .*127\.0\.0\.1:1/);
  assert.equal(result.status, 1);
  assert.equal(result.stdout, '');
  await assertWithin(20_000, performance.now() - startedMs);
});

test('a registry that nobody can reach ends the run with 1, before a record is published', async () => {
  const prefix = uniquePrefix();
  const result = await runProducer(['publish', await aSource()], {
    ...servers.env(prefix),
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  });
  assert.match(result.stderr, /error: registry-unreachable: .*127\.0\.0\.1:1/);
  assert.equal(result.status, 1);
  await assertNothingPublished(prefix);
});

test('a schema that the subject does not accept ends the run with 1, before a record is published', async () => {
  const prefix = uniquePrefix();
  const subject = `${topicSpecs({ prefix }).data.name}-value`;
  const schema = JSON.stringify({ type: 'object', properties: { conversationId: { type: 'integer' } } });
  const answer = await fetch(`${servers.registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schemaType: 'JSON', schema }),
  });
  assert.equal(answer.status, 200, await answer.text());
  await fetch(`${servers.registryUrl}/config/${subject}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'FULL' }),
  });
  const result = await runProducer(['publish', await aSource()], servers.env(prefix));
  assert.match(result.stderr, /error: schema-incompatible: /);
  assert.equal(result.status, 1);
  await assertNothingPublished(prefix);
});

const GENESYS: readonly { name: string; env: Readonly<Record<string, string>>; permissions?: string; says: RegExp }[] =
  [
    { name: 'a wrong secret', env: { GENESYS_CLIENT_SECRET: 'canary-wrong' }, says: /error: login-failed: / },
    {
      name: 'no permission for details',
      env: {},
      permissions: 'job:view',
      says: /error: permission-missing: .*403.*conversationDetail:view/,
    },
    {
      name: 'no permission for archives',
      env: { GENESYS_CONTRACT: 'bulk-archive' },
      permissions: 'job:view',
      says: /error: permission-missing: .*403.*analytics:conversation:view/,
    },
  ];

for (const { name, env, permissions, says } of GENESYS) {
  test(`${name}: status 1, and nothing is published`, async () => {
    const args = ['--records', '10', ...(permissions === undefined ? [] : ['--permissions', permissions])];
    await using simulator = await startSimulator(args);
    const prefix = uniquePrefix();
    const result = await runProducer(['export', ...DAY, '--json'], {
      ...servers.env(prefix),
      ...simulator.env,
      ...env,
    });
    assert.match(result.stderr, says);
    assert.equal(result.status, 1, result.stderr);
    assert.equal(result.stdout, '');
    assert.doesNotMatch(result.stderr + result.stdout, /canary/);
    await assertNothingPublished(prefix);
  });
}

test('a region that does not exist ends the run with 1 and says so', async () => {
  const startedMs = performance.now();
  const result = await runProducer(['export', ...DAY], {
    ...servers.env(uniquePrefix()),
    GENESYS_REGION: 'no-such-region.invalid',
    GENESYS_CLIENT_ID: 'id',
    GENESYS_CLIENT_SECRET: 'canary-secret',
  });
  assert.match(result.stderr, /error: host-not-found: .*no-such-region\.invalid/);
  assert.equal(result.status, 1);
  await assertWithin(60_000, performance.now() - startedMs);
});

/** On a machine where a program that does nothing takes more than a second, as much longer. */
async function assertWithin(limitMs: number, tookMs: number): Promise<void> {
  const startedMs = performance.now();
  await runProducer(['--version'], {});
  const slowness = Math.max(1, (performance.now() - startedMs) / 1000);
  assert(tookMs < limitMs * slowness, `it took ${tookMs} ms`);
}

async function aSource(): Promise<string> {
  const path = join(servers.dir, 'one.json');
  await writeFile(path, arrayOf([conversation('one')]));
  return path;
}

async function assertNothingPublished(prefix: string): Promise<void> {
  if (!(await hasTopics(prefix))) return;
  const { records, deadLetters } = await readPublished(servers.client, prefix);
  assert.equal(records.length + deadLetters.length, 0);
}

/** What each case's content must have become: records each once and byte for byte, dead letters with their causes. */
function assertSource(source: SourceCase, report: Report['sources'][number], published: Published): void {
  const { name, status, code, at, deadLetters = {} } = source;
  const context = `${name}: ${JSON.stringify(report)}`;
  assert.equal(report.status, status, context);
  assert.equal(report.error?.code, code, context);
  if (at) assert.equal(report.error?.ordinal, at.ordinal, context);
  if (at?.offset !== undefined) assert.equal(report.error?.offset, at.offset, context);
  assert.equal(report.records, source.published + Object.keys(deadLetters).length, context);
  assert(published.records.length >= source.published, context);
}

test('every kind of source in one command: each bad one is reported, the others are done, nothing is half there', async () => {
  const prefix = uniquePrefix();
  const cases = [...REFUSED_SOURCES, ...BROKEN_SOURCES, ...INVALID_RECORDS, ...GOOD_SOURCES];
  const paths = await writeSources(join(servers.dir, 'sources'), cases);
  const result = await runProducer(['publish', ...paths, '--json'], servers.env(prefix));
  const report = reportOf(result);
  assert.equal(result.status, 3, result.stderr);
  assert.deepEqual(
    report.sources.map(({ source }) => source),
    paths,
  );
  const published = await readPublished(servers.client, prefix);
  for (const [index, source] of cases.entries()) assertSource(source, report.sources[index]!, published);

  const keys = published.records.map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length, 'a record is there twice');
  const valid = cases.reduce((sum, source) => sum + source.published, 0);
  assert.equal(keys.length, valid);
  assert.equal(report.records.published, valid);
  const contents = Buffer.concat(cases.map(({ name, content }) => documentOf(name, content)));
  for (const { key, body } of published.records) assert(contents.includes(body), `${key} differs from its original`);

  const expected = cases.flatMap(({ deadLetters = {} }) =>
    Object.entries(deadLetters).map(([ordinal, cause]) => `${ordinal} ${cause}`),
  );
  const found = published.deadLetters.map(
    ({ headers }) => `${String(headers['origin-ordinal'])} ${String(headers.cause)}`,
  );
  assert.deepEqual(found.sort(), expected.sort());
  assert.equal(report.records.invalid, expected.length);
  assert.equal(report.records.read, valid + expected.length);
  // The second time nothing changes, whatever was refused, broken or invalid.
  const again = reportOf(await runProducer(['publish', ...paths, '--json'], servers.env(prefix)));
  assert.deepEqual({ ...again, seconds: 0 }, { ...report, seconds: 0 });
  const after = await readPublished(servers.client, prefix);
  assert.equal(after.records.length, published.records.length);
  assert.equal(after.deadLetters.length, published.deadLetters.length);
});

test('a conversationId that is too long for a key is a dead letter, and the records around it are published', async () => {
  const prefix = uniquePrefix();
  const path = join(servers.dir, 'long-id.json');
  // The record alone fits; with its id as the key beside it, no longer.
  const longId = randomBytes(2.5 * 1024 * 1024).toString('base64');
  await writeFile(path, arrayOf([conversation('long-0'), conversation(longId), conversation('long-2')]));
  const result = await runProducer(['publish', path, '--json'], servers.env(prefix));
  assert.equal(result.status, 3, result.stderr.slice(0, 2000));
  assert.deepEqual(reportOf(result).records, { read: 3, published: 2, invalid: 1, unchanged: 0 });
  const { records, deadLetters } = await readPublished(servers.client, prefix);
  assert.deepEqual(records.map(({ key }) => key).toSorted(), ['long-0', 'long-2']);
  assert.equal(deadLetters.length, 1);
});

/** The bytes that records are slices of; those of containers lie in their own files as well. */
function documentOf(name: string, content: Buffer | string | undefined): Buffer {
  const records = Buffer.from(conversations(name, 120).join('\n'));
  return Buffer.concat([records, Buffer.from(content ?? '')]);
}

test('directories, duplicates and links: one entry per argument, each archive published once', async () => {
  const many = join(servers.dir, 'many');
  await mkdir(join(servers.dir, 'nothing'), { recursive: true });
  const [inside] = await writeSources(many, [
    { name: 'a.json', content: arrayOf(conversations('many', 2)), status: 'done', published: 2 },
    { name: 'b.json', content: 'not at all', status: 'rejected', published: 0 },
  ]);
  await symlink('/gone/c.json', join(many, 'c.json'));
  const fifo = join(servers.dir, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const page = '<html>expired</html>';
  const body = arrayOf(conversations('link', 2));
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/good.json')) response.end(body);
    else if (request.url?.startsWith('/odd.zip')) response.socket!.end('HTTP/1.1 200 OK\r\nETag: "\x01"\r\n\r\n');
    else if (request.url?.startsWith('/page.zip')) response.setHeader('content-type', 'text/html').end(page);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const prefix = uniquePrefix();
  try {
    const args = [
      join(servers.dir, 'nothing'),
      many,
      inside!,
      inside!,
      `${origin}/good.json?sig=canary`,
      `${origin}/page.zip?sig=canary`,
      `${origin}/gone.zip`,
      fifo,
      `${origin.replace('//', '//user:canary@')}/odd.zip`,
    ];
    const result = await runProducer(['publish', ...args, '--json'], {
      ...servers.env(prefix),
      GENESYS_FILE_HOSTS: `127.0.0.1:${port}`,
    });
    const report = reportOf(result);
    assert.deepEqual(
      report.sources.map(({ source, status, records, error }) => [source, status, records, error?.code]),
      [
        [join(servers.dir, 'nothing'), 'rejected', 0, 'archive-missing'],
        [many, 'partial', 2, 'not-an-archive'],
        [inside, 'done', 2, undefined],
        [inside, 'done', 2, undefined],
        [`${origin}/good.json`, 'done', 2, undefined],
        [`${origin}/page.zip`, 'rejected', 0, 'not-an-archive'],
        [`${origin}/gone.zip`, 'rejected', 0, report.sources[6]!.error?.code],
        [fifo, 'rejected', 0, 'archive-missing'],
        [`${origin}/odd.zip`, 'rejected', 0, report.sources[8]!.error?.code],
      ],
    );
    assert.match(report.sources[1]!.error!.message, / 1 more of its 3 files: see the log\.$/);
    assert.match(result.stderr, /"source rejected"/);
    assert.match(result.stderr, /There is no file [^"]*many\/c\.json/);
    assert.match(report.sources[6]!.error!.code, /^(download|link)-refused$/);
    assert.equal(result.status, 3);
    assert.doesNotMatch(result.stdout + result.stderr, /canary/);
    assert.equal((await readPublished(servers.client, prefix)).records.length, 4);
  } finally {
    server.close();
  }
});
