import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { client, commitOne, createTopic, untilCommitted, withAdmin } from '../../fixtures/kafka-clients.ts';
import { processesNaming } from '../../fixtures/own-processes.ts';
import { startStack, uniquePrefix } from '../index.ts';

process.env.GENESYS_KAFKA_STACK = 'process';
// Whatever names this directory on its command line was started here.
const ownTmp = mkdtempSync(join(tmpdir(), 'stack-test-'));
process.env.TMPDIR = ownTmp;
after(() => rmSync(ownTmp, { recursive: true, force: true }));

test('one broker takes transactions, creates no topic by itself, the registry answers, and close leaves nothing', async () => {
  const stack = await startStack();
  after(async () => stack.close());
  const registryPort = new URL(stack.registryUrl).port;
  const topic = uniquePrefix();
  const kafka = client(stack);
  await withAdmin(kafka, async (admin) => {
    await createTopic(admin, { topic, numPartitions: 2 });
  });
  await commitOne(kafka, topic, 1);
  await withAdmin(kafka, async (admin) => {
    await assert.rejects(admin.fetchTopicMetadata({ topics: [`${topic}absent`] }));
    await untilCommitted(admin, topic, 1);
  });
  assert.deepEqual(await (await fetch(`${stack.registryUrl}/subjects`)).json(), []);

  assert.equal(processesNaming(ownTmp).length, 2, 'the host and the broker name their directory');
  assert.equal(processesNaming(`quarkus.http.port=${registryPort}`).length, 1);
  await stack.close();
  assert.deepEqual(processesNaming(ownTmp), []);
  assert.deepEqual(processesNaming(`quarkus.http.port=${registryPort}`), []);
  assert.deepEqual(readdirSync(ownTmp), []);
});

test('three brokers: a slow one is reached through its proxy only, and the others carry on while one is down', async () => {
  const latencyMs = 150;
  await using stack = await startStack({ brokers: 3, registry: false, slowBroker: { index: 1, latencyMs } });
  const kafka = client(stack);
  const topic = uniquePrefix();
  const described = await withAdmin(kafka, async (admin) => {
    await createTopic(admin, {
      topic,
      replicaAssignment: [0, 1, 2].map((partition) => ({ partition, replicas: nodes(partition) })),
    });
    return admin.describeCluster();
  });
  const addresses = described.brokers.sort((a, b) => a.nodeId - b.nodeId).map(({ host, port }) => `${host}:${port}`);
  assert.deepEqual(addresses, stack.brokers);
  assert.equal(stack.proxies[1]?.address, stack.brokers[1]);

  const producer = kafka.producer();
  await producer.connect();
  const sendMs = async (partition: number) => {
    const startMs = performance.now();
    await producer.send({ topic, acks: -1, messages: [{ value: 'x', partition }] });
    return performance.now() - startMs;
  };
  await sendMs(1);
  assert.ok((await sendMs(1)) >= 2 * latencyMs, 'both directions of the slow broker are late');

  const killed = stack.brokerPid(0);
  assert.match(processesNaming(ownTmp).find(({ pid }) => pid === killed)!.command, /kafka-1\b.*kafka\.Kafka/);
  await stack.killBroker(0);
  assert.equal(stack.brokerPid(0), undefined);
  await sendMs(0);
  await stack.startBroker(0);
  assert.notEqual(stack.brokerPid(0), killed);
  await stack.stopBroker(2);
  await sendMs(2);
  await commitOne(kafka, topic, 2);
  await producer.disconnect();
  await assert.rejects(stack.stopBroker(3), { code: 'stack-control', message: /no broker 3/ });
});

/** The replicas of partition `p`, its leader first. */
function nodes(p: number): number[] {
  return [p, p + 1, p + 2].map((index) => (index % 3) + 1);
}
