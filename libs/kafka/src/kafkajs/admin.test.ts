import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import kafkajs, { type Admin } from 'kafkajs';
import { KafkajsAdmin } from './admin.ts';
import type { Connection } from './connection.ts';

/** What kafkajs stumbles over while a partition has no leader; its stack says where. */
function confused(): Error {
  const error = new TypeError("Cannot destructure property 'partitions' of 'high.pop(...)' as it is undefined.");
  error.stack = `${String(error)}\n    at fetchTopicOffsets (/app/node_modules/kafkajs/src/admin/index.js:327:29)`;
  return error;
}

/** An admin on a client whose answers are these, one after the other, the last one for ever. */
function setUp(...answers: readonly (number | Error)[]) {
  const state = { connected: 0, asked: 0 };
  const answer = () => {
    const next = answers[Math.min(state.asked, answers.length - 1)]!;
    state.asked += 1;
    if (next instanceof Error) throw next;
    return Array.from({ length: next }, (_, partition) => ({ partition, offset: '7', high: '7', low: '2' }));
  };
  const client: Partial<Admin> = {
    connect: async () => void (state.connected += 1),
    disconnect: async () => undefined,
    fetchTopicOffsets: async () => answer(),
    fetchTopicMetadata: async () => ({
      topics: [{ name: 't', partitions: [{ replicas: [1] }, { replicas: [1] }] as never[] }],
    }),
  };
  const connection = { brokers: 'kafka:9092', kafka: () => ({ admin: () => client }) } as unknown as Connection;
  const clock = new ManualClock();
  return { admin: new KafkajsAdmin(connection, clock), clock, state, client };
}

const unreachable = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED 127.0.0.1:9092');

test('while leaders move an admin asks again on a fresh connection, and leaves out no partition', async () => {
  const { admin, clock, state } = setUp(2, confused(), unreachable, 1, 2);
  await admin.offsets('t');
  const asked = admin.offsets('t');
  await clock.advance(10_000);
  assert.deepEqual(await asked, [
    { partition: 0, first: 2n, end: 7n },
    { partition: 1, first: 2n, end: 7n },
  ]);
  assert.deepEqual(state, { asked: 5, connected: 4 });
});

test('what does not come back in half a minute is told, as the reason that it is', async () => {
  const { admin, clock } = setUp(2, confused());
  await admin.offsets('t');
  const asked = assert.rejects(admin.offsets('t'), { code: 'broker-not-ready', retry: true });
  await clock.advance(40_000);
  await asked;
});

test('a wrong address is told at once, and so is what no waiting mends', async () => {
  const wrong = setUp(unreachable);
  await assert.rejects(wrong.admin.offsets('t'), { code: 'broker-unreachable' });
  const refused = setUp(2, new TypeError('a bug of ours'));
  await refused.admin.offsets('t');
  await assert.rejects(refused.admin.offsets('t'), { code: 'kafka-failed' });
  assert.deepEqual([wrong.state.asked, refused.state.asked], [1, 2]);
});

test('metadata that the client has lost is asked for again, and no verdict on the topic', async () => {
  const lost = new kafkajs.KafkaJSTopicMetadataNotLoaded('Topic metadata not loaded', { topic: 't' });
  const { admin, clock } = setUp(lost, 2);
  const asked = admin.offsets('t');
  await clock.advance(1000);
  assert.equal((await asked).length, 2);
});

test('a topic that is deleted while it is described is not there; one that stays is described, or told as it is', async () => {
  const unknown = Object.assign(new Error('This server does not host this topic-partition'), {
    type: 'UNKNOWN_TOPIC_OR_PARTITION',
    retriable: true,
  });
  const { admin, clock, client } = setUp(1);
  client.describeConfigs = async () => Promise.reject(unknown);
  const stays = assert.rejects(admin.describeTopic('t'), { code: 'topic-missing' });
  await clock.advance(10_000);
  await stays;
  const before = client.fetchTopicMetadata!;
  client.describeConfigs = async () => {
    client.fetchTopicMetadata = async () => Promise.reject(unknown);
    throw unknown;
  };
  const goes = admin.describeTopic('t');
  await clock.advance(20_000);
  assert.equal(await goes, undefined);
  client.fetchTopicMetadata = before;
  client.describeConfigs = async () => ({ resources: [], throttleTime: 0 });
  assert.deepEqual(await admin.describeTopic('t'), { name: 't', partitions: 2, replicas: 1, config: {} });
});

test('a topic is made for three brokers where the brokers’ own topics are, or will be, though fewer of them show', async () => {
  const made = async (own: string, transactions: string) => {
    const { admin, client } = setUp(1);
    const seen: (number | undefined)[] = [];
    client.describeCluster = async () => ({
      brokers: [{ nodeId: 7, host: 'b', port: 1 }],
      controller: 7,
      clusterId: '',
    });
    client.describeConfigs = async ({ resources: [resource] }) => {
      assert.deepEqual([resource!.type, resource!.name], [kafkajs.ConfigResourceTypes.BROKER, '7']);
      const values = [own, transactions].map((configValue, index) => ({
        configName: (resource as { configNames: string[] }).configNames[index]!,
        configValue,
      }));
      return { resources: [{ configEntries: values }], throttleTime: 0 } as never;
    };
    client.createTopics = async ({ topics }) => {
      seen.push(...topics.map(({ replicationFactor }) => replicationFactor));
      return true;
    };
    const missing = Object.assign(new Error('no topic'), { type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false });
    client.fetchTopicMetadata = async () => Promise.reject(missing);
    await admin.tryCreate([{ name: 't', partitions: 1, config: {} }]);
    return seen;
  };
  assert.deepEqual(await made('3', '3'), [3]);
  // One broker, of which somebody has set the half.
  assert.deepEqual(await made('3', '1'), [1]);
  assert.deepEqual(await made('1', '1'), [1]);
  // Another make of brokers.
  assert.deepEqual(await made('', ''), [1]);
});

test('a topic that a broker does not know yet is asked for again for a moment, then told', async () => {
  const unknown = Object.assign(new Error('This server does not host this topic-partition'), {
    type: 'UNKNOWN_TOPIC_OR_PARTITION',
    retriable: true,
  });
  const late = setUp(unknown, 2);
  const asked = late.admin.offsets('t');
  await late.clock.advance(1000);
  assert.equal((await asked).length, 2);
  const never = setUp(unknown);
  const refused = assert.rejects(never.admin.offsets('t'), { code: 'topic-missing' });
  await never.clock.advance(10_000);
  await refused;
});
