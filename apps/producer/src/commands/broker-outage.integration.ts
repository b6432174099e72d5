import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import kafkajs from 'kafkajs';
import { runProducer, startProducer, writeArchive } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, untilWritten } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

/** Several transactions, of which the first ones show that it has begun. */
const RECORDS = 60_000;
const PATIENCE_MS = 150_000;
const MIB = 1024 * 1024;
/** What the publisher may hold, as set in ../export/context.ts. */
const BUFFER_BYTES = MIB;
// One broker hides the worst holes of a client, and so do three that answer alike.
const servers = useServers({ brokers: 3, slowBroker: { index: 1, latencyMs: 20 } });

test('a broker is killed in the middle of a publish, then the others too: when they are back the same run ends, each record once', async () => {
  const archive = join(servers.dir, 'outage.zip');
  await writeArchive(archive, ['--records', String(RECORDS)]);
  for (let tries = 0; tries < 5; tries += 1) if (await outlivesAll(archive)) return;
  assert.fail('it was done before the last broker was killed each time: give it more records');
});

/** Whether it was in its midst when the last broker died. */
async function outlivesAll(archive: string): Promise<boolean> {
  const prefix = uniquePrefix();
  const { child, ended } = startProducer(['publish', archive, '--json'], servers.env(prefix));

  await untilWritten(servers.client, prefix, ended);
  await servers.stack.killBroker(0);
  await untilWritten(servers.client, prefix, ended, RECORDS / 4);
  await Promise.all([1, 2].map((index) => servers.stack.killBroker(index)));
  await delay(3000);
  // On a quick machine, with all that it had to do.
  const wasQuick = child.exitCode === 0;
  if (!wasQuick) assert.equal(child.exitCode, null, 'it did not wait for the brokers');
  await Promise.all([0, 1, 2].map((index) => servers.stack.startBroker(index)));

  const result = await ended;
  assert.equal(result.status, 0, result.stderr);
  assert.equal((JSON.parse(result.stdout) as Report).records.published, RECORDS);
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(new Set(records.map(({ ordinal }) => ordinal)).size, RECORDS, 'records are missing');
  assert.equal(records.length, RECORDS, 'records are there twice');
  return !wasQuick;
}

test('fewer replicas in sync than the topic wants, then one broker of three: sending waits behind a full buffer; when they are back the same run ends, each record once', async () => {
  const archive = join(servers.dir, 'replicas.zip');
  const count = 20_000;
  await writeArchive(archive, ['--records', String(count)]);
  const prefix = uniquePrefix();
  await createDataTopic(prefix, { 'min.insync.replicas': '3' });
  // Makes the other topics, for which there have to be three brokers.
  const nothing = join(servers.dir, 'nothing.json');
  await writeFile(nothing, '[]');
  assert.equal((await runProducer(['publish', nothing], servers.env(prefix))).status, 0);
  // Before it begins, so that all of it is still to be sent.
  await servers.stack.killBroker(0);
  const { data, ledger } = topicSpecs({ prefix });
  for (const { name } of [data, ledger]) {
    await until(
      async () => servers.client.admin.offsets(name).then(Boolean, () => false),
      `a leader for all of ${name}`,
    );
  }
  const [port = 0] = await freePorts(1);
  const env = { ...servers.env(prefix), HTTP_PORT: String(port), LOG_LEVEL: 'debug' };
  const { child, ended } = startProducer(['publish', archive, '--json'], env);
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let most = 0;
  const bufferedBytes = async () => {
    // Nothing listens yet while the program starts.
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      async (answer) => answer.text(),
      () => '',
    );
    const bytes = Number(/^genesys_kafka_publish_buffer_bytes (\d+)$/m.exec(metrics)?.[1] ?? 0);
    most = Math.max(most, bytes);
    return bytes;
  };

  await until(async () => (await bufferedBytes()) > BUFFER_BYTES, 'a full buffer');
  await until(async () => {
    await bufferedBytes();
    return stderr.includes('fewer in-sync replicas');
  }, 'the refusal of the brokers');
  stderr = '';
  await servers.stack.killBroker(2);
  await until(async () => {
    await bufferedBytes();
    return stderr.includes(`ECONNREFUSED ${servers.stack.brokers[2]!}`);
  }, 'a broken connection');
  assert.equal(child.exitCode, null, 'it did not wait for the brokers');
  await Promise.all([0, 2].map((index) => servers.stack.startBroker(index)));

  const result = await ended;
  assert.equal(result.status, 0, result.stderr);
  // One step may stand above the limit.
  assert.ok(most < BUFFER_BYTES + MIB, `${most} bytes were in the buffer`);
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(new Set(records.map(({ ordinal }) => ordinal)).size, count, 'records are missing');
  assert.equal(records.length, count, 'records are there twice');
});

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < endMs, `${what} did not come about`);
    await delay(50);
  }
}

/** As the program would make it, with other settings beside or in their place. */
async function createDataTopic(prefix: string, more: Readonly<Record<string, string>>): Promise<void> {
  const { name: topic, partitions: numPartitions, config } = topicSpecs({ prefix }).data;
  const configEntries = Object.entries({ ...config, ...more }).map(([name, value]) => ({ name, value }));
  const admin = new kafkajs.Kafka({ brokers: servers.stack.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 3, configEntries }] });
  await admin.disconnect();
}
