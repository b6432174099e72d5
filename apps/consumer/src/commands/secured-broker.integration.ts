import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readToEnd } from '@genesys-kafka/kafka';
import {
  clientPair,
  secured,
  securedUser,
  startProxy,
  startStack,
  strangerPair,
  testAuthority,
} from '@genesys-kafka/testing';
import type { KeyPair } from '@genesys-kafka/testing/certificates';
import { Rights, type Operation, type Resource } from '@genesys-kafka/testing/rights';
import { topicSpecs } from '@genesys-kafka/topics';
import { Bus, dataPartitions, samples, type Area } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, steady, type Ended } from '../../fixtures/consumer-process.ts';
import { Target } from '../../fixtures/target.ts';
import { until } from '../../fixtures/until.ts';

const RECORDS = 30;
let bus: Bus;
let rights: Rights;
let dir: string;

before(async () => {
  bus = new Bus(await startStack(secured));
  rights = await Rights.at(bus.stack.brokers);
  dir = await mkdtemp(join(tmpdir(), 'consumer-test-'));
  await writeFile(join(dir, 'authority.pem'), testAuthority);
});

after(async () => {
  await rights[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

// Who may not read in a group may not leave it either.
const run = ['run', ...quick];
const drain = ['run', '--drain', ...steady];

interface Login {
  readonly brokers?: readonly string[];
  readonly mechanism?: string;
  readonly password?: string;
}

/** One route to a sink, with a login, over TLS, by the authority of the tests. */
function configOf(area: Area, sink: object, { brokers, mechanism = 'scram-sha-512', password }: Login = {}): string {
  const sasl = { mechanism, username: securedUser.username, password: password ?? securedUser.password };
  return area.config({
    kafka: {
      brokers: brokers ?? bus.stack.listeners.LOGIN,
      topicPrefix: area.prefix,
      partitions: dataPartitions,
      ssl: true,
      sasl,
    },
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: sink },
    tls: { caFile: join(dir, 'authority.pem') },
    log: { level: 'debug' },
  });
}

const crm = (target: Target) => ({ type: 'http', url: target.url });

/** A command to its end; whatever comes of it, no password is shown. */
async function consume(config: string, args: readonly string[]): Promise<Ended> {
  await using consumer = await ConsumerProcess.start(config, ...args);
  const ended = await consumer.ended;
  assert.doesNotMatch(ended.stdout + ended.stderr, /canary/);
  return ended;
}

function assertEndsWith({ status, stdout, stderr }: Ended, code: string, text: string): void {
  assert.equal(status, 1, stderr);
  const told = stderr.split('\n').find((line) => line.startsWith(`error: ${code}: `));
  assert.ok(told?.includes(text), stderr);
  assert.equal(stdout, '');
}

test('a wrong password ends the run at the first login; the right one delivers', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(RECORDS, RECORDS));
  await rights.grantAll(area.prefix);
  for (const mechanism of ['plain', 'scram-sha-512']) {
    const tries = new Set<number>();
    await using door = await startProxy({
      target: bus.stack.listeners.LOGIN![0]!,
      onChunk: ({ connection }) => {
        tries.add(connection);
        return 'forward';
      },
    });
    const login = { mechanism, password: 'canary-wrong', brokers: [door.address] };
    assertEndsWith(
      await consume(configOf(area, crm(target), login), run),
      'authentication-failed',
      'KAFKA_SASL_PASSWORD',
    );
    assert.equal(tries.size, 1);
  }
  const { status, stderr } = await consume(configOf(area, crm(target)), drain);
  assert.equal(status, 0, stderr);
  assert.equal(target.accepted.length, RECORDS);
});

test('a right that is missing is named and nothing is committed; once it is there each record is delivered, once', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(RECORDS, RECORDS));
  await rights.grantAll(area.prefix);
  const config = configOf(area, crm(target));
  const group = `${area.prefix}test.all`;
  const missing: readonly (readonly [Resource, string, Operation])[] = [
    ['TOPIC', area.main, 'READ'],
    ['GROUP', group, 'READ'],
  ];
  for (const [resource, name, operation] of missing) {
    const giveBack = await rights.takeAway(resource, name, operation);
    const checked = await consume(config, ['check']);
    assert.equal(checked.status, 1, checked.stderr);
    assert.ok(
      checked.stdout.includes(
        `This login may not read ${resource === 'TOPIC' ? 'the topic' : 'in the group'} ${name}.`,
      ),
    );
    assertEndsWith(await consume(config, run), 'authorization-failed', name);
    await giveBack();
    assert.equal(target.seen.length, 0);
    assert.equal((await area.client.admin.groupCommits(group, area.main)).size, 0);
  }
  const { status, stderr } = await consume(config, drain);
  assert.equal(status, 0, stderr);
  assert.equal(target.seen.length, RECORDS);
});

test('a topic of brokers that know us by a certificate: it is written with the right one, and check tells of another one', async () => {
  await using area = await bus.area();
  const topic = `${area.prefix}copy`;
  await area.client.admin.createMissing([{ ...topicSpecs({ prefix: area.prefix }).data, name: topic }]);
  await area.publish(samples(RECORDS, RECORDS));
  await rights.grantAll(area.prefix);
  const [certFile, keyFile] = ['cert.pem', 'key.pem'].map((name) => join(dir, name)) as [string, string];
  const brokers = bus.stack.listeners.MUTUAL;
  const config = configOf(area, { type: 'kafka', topic, brokers, ssl: true, tls: { certFile, keyFile } });
  const show = async ({ cert, key }: KeyPair) => Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  await show(strangerPair);
  const checked = await consume(config, ['check']);
  assert.equal(checked.status, 1, checked.stderr);
  assert.match(checked.stdout, /sinks\.crm\.tls where it asks for a certificate of ours/);
  await show(clientPair);
  const { status, stderr } = await consume(config, drain);
  assert.equal(status, 0, stderr);
  let copied = 0;
  for (const { partition } of await area.client.admin.offsets(topic))
    for await (const { records } of readToEnd(area.client, { topic, partition })) copied += records.length;
  assert.equal(copied, RECORDS);
});

for (const resource of ['TOPIC', 'GROUP'] as const) {
  test(`the right to read a ${resource} is taken away under a running consumer: it ends, and loses nothing`, async () => {
    await using area = await bus.area();
    await using target = await Target.listen();
    await area.publish(samples(RECORDS, RECORDS), 'before');
    await rights.grantAll(area.prefix);
    const config = configOf(area, crm(target));
    const name = resource === 'TOPIC' ? area.main : `${area.prefix}test.all`;
    await using running = await ConsumerProcess.start(config, ...run);
    await until(() => target.accepted.length >= RECORDS, 'the first records');
    const giveBack = await rights.takeAway(resource, name, 'READ');
    await area.publish(samples(RECORDS, RECORDS), 'after');
    assertEndsWith(await running.ended, 'authorization-failed', name);
    await giveBack();
    const { status, stderr } = await consume(config, drain);
    assert.equal(status, 0, stderr);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 2 * RECORDS);
  });
}
