import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import kafkajs, { Kafka, type Producer } from 'kafkajs';
import { encodeBatch } from '../wire/encoded-batch.ts';
import { protocolError, type ProduceCall } from './internals.ts';
import { writingBodies } from './request-bodies.ts';
import { assertAnswered, batchesRequest, sendBatches } from './send-batches.ts';

/** Of a request for the topic `t` without a transaction: after the id, acks, time-out, topic and two counts. */
const PARTITION_AT = 19;
const BATCH_AT = PARTITION_AT + 8;
const LEADERS = [1, 1, 2, 1];

interface Asked {
  readonly node: string;
  readonly partition: number;
  readonly firstSequence: number;
  answer(failure?: Error): void;
}

/** What a socket writes for a body's place-holder. */
function written(place: Buffer): Buffer {
  const writes: Buffer[] = [];
  const socket = {
    write: (bytes: Buffer) => writes.push(Buffer.from(bytes)),
    cork: () => undefined,
    uncork: () => undefined,
  };
  writingBodies(socket as unknown as Socket).write(Buffer.concat([Buffer.alloc(8), place]));
  return writes[1]!;
}

/** A producer of kafkajs's on two brokers that answer when they are told to. */
async function producerOn(asked: Asked[], wrap: (kafka: Kafka) => Kafka): Promise<Producer> {
  const retry = { initialRetryTime: 1, maxRetryTime: 1 };
  const kafka = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: kafkajs.logLevel.NOTHING, retry });
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.endsWith('createCluster'))!;
  const ask = async (node: string, partition: number, firstSequence: number) => {
    await new Promise<void>((resolve, reject) => {
      const answer = (failure?: Error) => (failure ? reject(failure) : resolve());
      asked.push({ node, partition, firstSequence, answer });
    });
    return { topics: [{ topicName: 't', partitions: [{ partition, errorCode: 0, baseOffset: '0' }] }] };
  };
  const brokers = ['1', '2'].map((node) => ({
    nodeId: node,
    initProducerId: async () => ({ producerId: '7', producerEpoch: 0 }),
    produce: async ({ topicData }: ProduceCall) => {
      const { partition, firstSequence } = topicData[0]!.partitions[0]!;
      return ask(node, partition, firstSequence);
    },
    connectionPool: {
      send: async ({ request }: { readonly request: { encode(): Promise<{ readonly buffer: Buffer }> } }) => {
        const buffer = written((await request.encode()).buffer);
        return ask(node, buffer.readInt32BE(PARTITION_AT), buffer.readInt32BE(BATCH_AT + 53));
      },
    },
  }));
  const nothing = async () => undefined;
  const cluster = {
    connect: nothing,
    disconnect: nothing,
    isConnected: () => true,
    addMultipleTargetTopics: nothing,
    refreshMetadata: nothing,
    refreshMetadataIfNecessary: nothing,
    findControllerBroker: async () => brokers[0],
    findGroupCoordinator: async () => assert.fail('a producer without transactions has no coordinator'),
    findTopicPartitionMetadata: () => LEADERS.map((leader, partitionId) => ({ partitionId, leader })),
    // Partitions are keys of an object by then.
    findLeaderForPartitions: (_topic: string, [partition]: readonly string[]): Record<string, number[]> => {
      const only = Number(partition);
      return { [String(LEADERS[only])]: [only] };
    },
    findBroker: async ({ nodeId }: { nodeId: string }) => brokers.find((broker) => broker.nodeId === nodeId),
  };
  Object.assign(kafka, { [symbol]: () => cluster });
  const producer = wrap(kafka).producer({
    idempotent: true,
    createPartitioner: () => (args) => args.message.partition!,
  });
  await producer.connect();
  return producer;
}

const RECORDS = [
  { key: null, value: Buffer.from('x') },
  { key: null, value: Buffer.from('y') },
];
const request = async (partition: number) =>
  batchesRequest({ topic: 't', partition }, [await encodeBatch(RECORDS, 'none')], { requestTimeoutMs: 1000 });
const send = async (producer: Producer, partition: number) => producer.send(await request(partition));

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

test('sends to several partitions of one broker are under way at once', async () => {
  const asked: Asked[] = [];
  const producer = await producerOn(asked, sendBatches);
  const sent = [0, 1, 2, 3].map(async (partition) => send(producer, partition));
  await settle();
  assert.deepEqual(asked.map(({ node, partition, firstSequence }) => [node, partition, firstSequence]).toSorted(), [
    ['1', 0, 0],
    ['1', 1, 0],
    ['1', 3, 0],
    ['2', 2, 0],
  ]);
  for (const one of asked.splice(0).toReversed()) one.answer();
  await Promise.all(sent);
  // Sequence numbers go on by partition.
  const next = send(producer, 3);
  await settle();
  assert.deepEqual([asked[0]!.partition, asked[0]!.firstSequence], [3, 2]);
  asked[0]!.answer();
  await next;
  await producer.disconnect();
});

test('batches of one partition are under way at once; where one fails, all of them are sent again as they were', async () => {
  const asked: Asked[] = [];
  const producer = await producerOn(asked, sendBatches);
  const batch = await encodeBatch(RECORDS, 'none');
  const known = send(producer, 0);
  await settle();
  asked.splice(0)[0]!.answer();
  await known;
  const five = batchesRequest({ topic: 't', partition: 0 }, Array(5).fill(batch), { requestTimeoutMs: 1000 });
  const sent = producer.send(five);
  const sequences = [2, 4, 6, 8, 10];
  await settle();
  const first = asked.splice(0);
  assert.deepEqual(
    first.map(({ firstSequence }) => firstSequence),
    sequences,
  );
  const [away, outOfOrder] = [6, 45].map((code) => protocolError(code));
  first.forEach((one, at) => one.answer(at < 2 ? undefined : at === 2 ? away : outOfOrder));
  while (asked.length === 0) await setImmediate();
  const second = asked.splice(0);
  assert.deepEqual(
    second.map(({ firstSequence }) => firstSequence),
    sequences,
  );
  for (const one of second) one.answer();
  assert.equal((await sent).length, 5);
  const next = send(producer, 0);
  await settle();
  assert.equal(asked[0]!.firstSequence, 12);
  asked[0]!.answer();
  await next;
  await producer.disconnect();
});

test('the first batch of a producer goes alone until it is taken: the partition would take any number from an unknown one', async () => {
  const asked: Asked[] = [];
  const producer = await producerOn(asked, sendBatches);
  const batch = await encodeBatch(RECORDS, 'none');
  const three = batchesRequest({ topic: 't', partition: 0 }, Array(3).fill(batch), { requestTimeoutMs: 1000 });
  const sent = producer.send(three);
  const under = async () => {
    while (asked.length === 0) await setImmediate();
    await settle();
    return asked.splice(0);
  };
  const [refused, ...none] = await under();
  refused!.answer(protocolError(6));
  const [again, ...noneAgain] = await under();
  again!.answer();
  const others = await under();
  for (const one of others) one.answer();
  await sent;
  const sequences = [refused, again, ...others].map((one) => one!.firstSequence);
  assert.deepEqual([sequences, none, noneAgain], [[0, 0, 2, 4], [], []]);
  await producer.disconnect();
});

test('an answer that speaks of less, of something else or of an error is none', async () => {
  const target = { topic: 't', partition: 0 };
  const right = { topicName: 't', partition: 0, errorCode: 0 };
  assertAnswered(target, 2, [right, right]);
  for (const answer of [
    [right],
    [right, { ...right, partition: 1 }],
    [right, { ...right, topicName: 'u' }],
    [{ ...right, errorCode: 3 }, right],
  ])
    assert.throws(() => assertAnswered(target, 2, answer), { code: 'unexpected-answer' });
});

test('without that a broker’s partitions wait for each other', async () => {
  const asked: Asked[] = [];
  const producer = await producerOn(asked, (kafka) => kafka);
  const sent = [0, 1].map(async (partition) => send(producer, partition));
  await settle();
  assert.equal(asked.length, 1);
  asked[0]!.answer();
  await settle();
  asked[1]!.answer();
  await Promise.all(sent);
  await producer.disconnect();
});

test('what stands for records is never sent as records: kafkajs fails where it encodes them', async () => {
  const { messages } = await request(0);
  const { protocol } = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce') as {
    protocol: (version: { version: number }) => (call: unknown) => { request: { encode(): Promise<unknown> } };
  };
  const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages }] }];
  await assert.rejects(protocol({ version: 7 })({ acks: -1, timeout: 1, topicData }).request.encode(), /a bug/);
});
