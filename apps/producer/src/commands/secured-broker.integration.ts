import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  clientPair,
  freePorts,
  secured,
  securedUser,
  startProxy,
  strangerPair,
  testAuthority,
  tlsListener,
  trustedPair,
  uniquePrefix,
} from '@genesys-kafka/testing';
import { Rights, type Operation, type Resource } from '@genesys-kafka/testing/rights';
import { topicSpecs } from '@genesys-kafka/topics';
import { Following, stop } from '../../fixtures/followers.ts';
import { untilReady } from '../../fixtures/health.ts';
import { runProducer, startSimulator, type Ended } from '../../fixtures/processes.ts';
import { conversations } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';
import { setAvailability } from '../../fixtures/simulator-control.ts';
import { readPublished, untilWritten } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const RECORDS = 50;
/** They take many transactions, see `publish`. */
const MANY = 160_000;
const servers = useServers(secured);
interface At {
  readonly prefix?: string;
  readonly brokers?: readonly string[];
  readonly mechanism?: string;
  readonly password?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function publish(at: At, records = RECORDS): Promise<Ended> {
  const source = join(servers.dir, 'secured.ndjson');
  await writeFile(source, conversations('secured', records).join('\n'));
  return run(at, ['publish', source, '--json']);
}

function loginEnv({ brokers, mechanism = 'plain', password }: At): Record<string, string> {
  return {
    KAFKA_BROKERS: (brokers ?? servers.stack.listeners.LOGIN!).join(','),
    KAFKA_SSL: 'true',
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: securedUser.username,
    KAFKA_SASL_PASSWORD: password ?? securedUser.password,
  };
}

/** A command with a login, over TLS, by the authority of the tests; whatever comes of it, no password is shown. */
async function run(at: At, args: readonly string[]): Promise<Ended> {
  const { prefix = uniquePrefix(), env } = at;
  const [authority, config] = ['authority.pem', 'tls.yaml'].map((name) => join(servers.dir, name)) as [string, string];
  await writeFile(authority, testAuthority);
  await writeFile(
    config,
    `tls: { caFile: ${authority} }\nkafka: { transaction: { maxBytes: 256KiB } }\nwindows: { from: 2025-10-01 }\n`,
  );
  const ended = await runProducer(['--config', config, ...args], {
    ...servers.env(prefix),
    ...loginEnv(at),
    LOG_LEVEL: 'debug',
    ...env,
  });
  assert.doesNotMatch(ended.stdout + ended.stderr, /canary/);
  return ended;
}

function assertEndsWith(ended: Ended, code: string, text: RegExp): void {
  assert.equal(ended.status, 1, ended.stderr);
  assert.match(ended.stderr, new RegExp(`error: ${code}: `));
  assert.match(ended.stderr, text);
  assert.equal(ended.stdout, '');
}

async function assertPublishedOnce(prefix: string, ended: Ended, count = RECORDS): Promise<void> {
  assert.equal(ended.status, 0, ended.stderr);
  assert.equal((JSON.parse(ended.stdout) as Report).records.published, count);
  const { records } = await readPublished(servers.client, prefix);
  assert.deepEqual(
    records.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b),
    Array.from({ length: count }, (_, ordinal) => ordinal),
  );
}

test('a wrong password, and a login that is not offered, end the run at the first try; the right one publishes', async () => {
  const cases = [
    { mechanism: 'plain', password: 'canary-wrong' },
    { mechanism: 'scram-sha-512', password: 'canary-wrong' },
    { mechanism: 'scram-sha-256' },
  ];
  const refused = cases.map(async (login) => {
    const tries = new Set<number>();
    await using door = await startProxy({
      target: servers.stack.listeners.LOGIN![0]!,
      onChunk: ({ connection }) => {
        tries.add(connection);
        return 'forward';
      },
    });
    assertEndsWith(
      await publish({ ...login, brokers: [door.address] }),
      'authentication-failed',
      /KAFKA_SASL_PASSWORD/,
    );
    assert.equal(tries.size, 1);
  });
  await Promise.all(refused);

  await using rights = await Rights.at(servers.stack.brokers);
  const prefix = uniquePrefix();
  await rights.grantAll(prefix);
  await assertPublishedOnce(prefix, await publish({ prefix, mechanism: 'scram-sha-512' }));
});

test('a right that is missing is named and nothing is published; once it is there each record is, once', async () => {
  const prefix = uniquePrefix();
  const { data, deadLetters, ledger } = topicSpecs({ prefix });
  await servers.client.admin.createMissing([data, deadLetters, ledger]);
  await using rights = await Rights.at(servers.stack.brokers);
  assertEndsWith(await publish({ prefix }), 'authorization-failed', new RegExp(data.name));
  await rights.grantAll(prefix);
  const missing: readonly (readonly [Resource, string, Operation])[] = [
    ['TOPIC', data.name, 'WRITE'],
    ['TOPIC', ledger.name, 'WRITE'],
    ['TOPIC', ledger.name, 'READ'],
  ];
  for (const [resource, name, operation] of missing) {
    const giveBack = await rights.takeAway(resource, name, operation);
    assertEndsWith(await publish({ prefix }), 'authorization-failed', new RegExp(name));
    await giveBack();
    assert.deepEqual((await readPublished(servers.client, prefix)).records, []);
  }
  await assertPublishedOnce(prefix, await publish({ prefix }));
});

test('`check` names each right that is missing, makes no topic, and disturbs no lane that is in use', async () => {
  const prefix = uniquePrefix();
  const { data, deadLetters, ledger, digests } = topicSpecs({ prefix });
  const rightsOf = async () => {
    const { stdout } = await run({ prefix }, ['check', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: readonly { check: string; status: string; message: string }[] };
    const { status, message } = checks.find(({ check }) => check === 'rights')!;
    return `${status}: ${message}`;
  };
  const own = `${prefix}default`;
  const nothing = await rightsOf();
  for (const { name } of [data, deadLetters, ledger, digests])
    assert.match(nothing, new RegExp(`write the topic ${name}`));
  assert.match(
    nothing,
    new RegExp(`^failed: authorization-failed: .*transactional id ${own}.export.check, ${own}.lane.0`),
  );
  assert.match(nothing, new RegExp(`read in the group ${own}.run`));

  await using rights = await Rights.at(servers.stack.brokers);
  await rights.grantAll(prefix);
  const giveBack = await rights.takeAway('TOPIC', digests.name, 'CREATE');
  assert.match(await rightsOf(), new RegExp(`may not create the topic ${digests.name}\\. `));
  assert.equal(await servers.client.admin.describeTopic(data.name), undefined);
  await giveBack();
  await servers.client.admin.createMissing([data, deadLetters, ledger, digests]);
  const writer = servers.client.transactionalProducer(`${own}.lane.3`);
  const open = await writer.begin();
  await open.send({ topic: data.name, partition: 0 }, [{ key: 'k', value: Buffer.from('v') }]);
  assert.equal(await servers.client.admin.mayTransact(`${own}.lane.3`), true);
  await open.commit();
  await writer.close();
  assert.equal(await rightsOf(), 'ok: all that is needed may be done');

  const missing: readonly (readonly [Resource, string, Operation])[] = [
    ['TOPIC', data.name, 'WRITE'],
    ['TOPIC', digests.name, 'READ'],
    ['TRANSACTIONAL_ID', `${own}.lane.7`, 'WRITE'],
    ['GROUP', `${own}.run`, 'READ'],
  ];
  for (const right of missing) await rights.takeAway(...right);
  const told =
    `write the topic ${data.name}; read the topic ${digests.name}; ` +
    `write as the transactional id ${own}.lane.7; read in the group ${own}.run.`;
  const last = await rightsOf();
  assert.ok(last.startsWith(`failed: authorization-failed: This login may not ${told}`), last);
});

/** Whether the right was gone before all was published. */
async function losesItsRight(which: 'data' | 'ledger'): Promise<boolean> {
  const prefix = uniquePrefix();
  await using rights = await Rights.at(servers.stack.brokers);
  await rights.grantAll(prefix);
  const publishing = publish({ prefix }, MANY);
  await untilWritten(servers.client, prefix, publishing);
  const { name } = topicSpecs({ prefix })[which];
  const giveBack = await rights.takeAway('TOPIC', name, 'WRITE');
  const ended = await publishing;
  await giveBack();
  if (ended.status === 0) return false;
  assertEndsWith(ended, 'authorization-failed', new RegExp(name));
  await assertPublishedOnce(prefix, await publish({ prefix }, MANY), MANY);
  return true;
}

for (const which of ['data', 'ledger'] as const) {
  test(`the right to write the ${which} topic is taken away while an archive is published: it ends, and the next run goes on`, async () => {
    // A quick machine may be done before that: then it is begun anew.
    for (let tries = 0; tries < 10; tries += 1) if (await losesItsRight(which)) return;
    assert.fail('it was done each time before the right was taken away: give it more records');
  });
}

test('rights that are taken away under run: not ready, and told why; given back it goes on, and nothing was given up', async () => {
  const days = ['--records', '900', '--from', '2025-10-01', '--to', '2025-10-04', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-02T00:00:00Z', '--job-ms', '0']);
  const authority = join(servers.dir, 'authority.pem');
  await writeFile(authority, testAuthority);
  const windows = 'from: 2025-10-01, size: 12h, rereads: []';
  await using following = await Following.of(servers, simulator, windows, `tls: { caFile: ${authority} }`);
  await using rights = await Rights.at(servers.stack.brokers);
  await rights.grantAll(following.prefix);
  const [port = 0] = await freePorts(1);
  const running = following.start({ ...loginEnv({}), HTTP_PORT: String(port) });
  const done = async (count: number) =>
    following.until((lines) => lines.length === count && lines.every(({ state }) => state === 'done'));
  await done(2);
  const { data, ledger } = topicSpecs({ prefix: following.prefix });
  const group = `${following.prefix}default.run`;
  const phases: readonly (readonly [RegExp, string, readonly (readonly [Resource, string, Operation])[]])[] = [
    [/lane \d+ is lost for authorization-failed/, '2025-10-03T00:00:00Z', [['TOPIC', data.name, 'WRITE']]],
    [
      /not a member of the group/,
      '2025-10-04T00:00:00Z',
      [
        ['GROUP', group, 'READ'],
        ['TOPIC', ledger.name, 'WRITE'],
      ],
    ],
  ];
  for (const [index, [reason, until, taken]] of phases.entries()) {
    await untilReady(port);
    const giveBack = await Promise.all(taken.map(async (right) => rights.takeAway(...right)));
    await setAvailability(simulator, until);
    await untilReady(port, reason);
    assert.equal(running.child.exitCode, null, 'it gave up');
    for (const give of giveBack) await give();
    await done(2 * (index + 2));
  }
  await untilReady(port);
  const { status, stdout, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /canary/);
  assert.doesNotMatch(stderr, /window failed/, 'a window was blamed for it');
  assert.equal((await following.assertOnceEach()).size, 900, 'conversations are missing');
});

test('a broker that asks for a certificate of ours gets it, and knows us by it; another one, or none, ends the run', async () => {
  const prefix = uniquePrefix();
  await using rights = await Rights.at(servers.stack.brokers);
  await rights.grantAll(prefix);
  const brokers = servers.stack.listeners.MUTUAL!;
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(servers.dir, name)) as [string, string];
  const shown = { KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USERNAME: '', KAFKA_SASL_PASSWORD: '' };
  const env = { ...shown, KAFKA_CERT_FILE: cert, KAFKA_KEY_FILE: key };
  const write = async (pair: typeof clientPair) => Promise.all([writeFile(cert, pair.cert), writeFile(key, pair.key)]);
  await write(strangerPair);
  for (const one of await Promise.all([publish({ prefix, brokers, env }), publish({ prefix, brokers, env: shown })]))
    assertEndsWith(one, 'tls-failed', /KAFKA_CERT_FILE/);
  await writeFile(cert, clientPair.cert);
  const unfit = await publish({ prefix, brokers, env });
  assert.deepEqual([unfit.status, unfit.stderr.includes('kafka.tls.keyFile: does not open')], [2, true], unfit.stderr);
  await write(clientPair);
  await assertPublishedOnce(prefix, await publish({ prefix, brokers, env }));
});

test('a broker’s certificate that has expired, or that nobody trusts, ends the run with what to do', async () => {
  const { EXPIRED, STRANGER } = servers.stack.listeners;
  const [expired, stranger] = await Promise.all([publish({ brokers: EXPIRED! }), publish({ brokers: STRANGER! })]);
  assertEndsWith(expired, 'tls-failed', /expired.*valid/);
  assertEndsWith(stranger, 'tls-failed', /certificate.*tls\.caFile/);
});

test('TLS 1.1 is refused, by broker and registry alike, whatever Node is told to allow', async () => {
  await using old = await tlsListener(trustedPair, 'TLSv1.1');
  await using rights = await Rights.at(servers.stack.brokers);
  const prefix = uniquePrefix();
  await rights.grantAll(prefix);
  const env = { NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0' };
  const ended = await Promise.all([
    publish({ brokers: [old.address], env }),
    publish({ prefix, env: { ...env, SCHEMA_REGISTRY_URL: `https://${old.address}` } }),
  ]);
  for (const one of ended) assertEndsWith(one, 'tls-failed', /TLS 1\.2 or later/);
  assert.equal(old.counts.trusted, 0);
});
