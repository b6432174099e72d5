import type { Kafka, Message, ProducerRecord, RecordMetadata } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { EncodedBatch, TopicPartition } from '../port.ts';
import { encodeProduceRequest } from '../wire/produce-request.ts';
import { asEncoder, clusterMaker, produceProtocol, type Broker, type ProduceCall } from './internals.ts';

/** In kafkajs's hands in place of each record of a batch: it counts them, for its sequence numbers. */
interface StandIn {
  readonly batch: EncodedBatch;
}

/**
 * One batch for one topic-partition in one request. kafkajs doubles and loses records when one `send()` reaches several
 * leaders or leaves the partition to its partitioner, so neither ever happens here.
 */
export function batchRequest(
  { topic, partition }: TopicPartition,
  batch: EncodedBatch,
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): ProducerRecord {
  // Below the client's own time-out, so that the broker's answer tells that it gave up.
  const timeout = Math.max(500, requestTimeoutMs - 500);
  const standIn: Message & StandIn = {
    ...{ partition, batch, value: null },
    // Only an encoder asks for it: what kafkajs would send are empty records.
    get key(): never {
      throw new Error('kafkajs encodes a batch by itself: a bug');
    },
  };
  return { topic, acks: -1, timeout, messages: new Array<Message>(batch.count).fill(standIn) };
}

/**
 * Has the producer of `kafka` that is made next send what `batchRequest` gives, and nothing else.
 *
 * The request is encoded here: kafkajs encodes each record into memory of its own, doubled and zeroed as it grows, and
 * then the batch once more at each of six levels.
 *
 * Several partitions of one broker are sent to at once: kafkajs holds a lock for each broker, a round trip long, so each
 * partition is shown a broker of its own. For sends that name one partition and never overlap for it
 * (docs/exactly-once.md, rule 1): sequence numbers are counted by partition.
 */
export function sendBatches(kafka: Kafka): Kafka {
  const { make, replace } = clusterMaker(kafka);
  replace((options) => {
    const cluster = make(options);
    const findLeaders = cluster.findLeaderForPartitions.bind(cluster);
    const find = cluster.findBroker.bind(cluster);
    cluster.findLeaderForPartitions = (topic, partitions) => {
      const leaders = Object.entries(findLeaders(topic, partitions));
      return Object.fromEntries(
        leaders.flatMap(([leader, its]) => its.map((partition) => [`${leader}/${topic}/${partition}`, [partition]])),
      );
    };
    // The same one each time: kafkajs keeps what it has heard by broker, over its attempts.
    const shown = new Map<unknown, { readonly broker: Broker; readonly as: Broker }>();
    cluster.findBroker = async ({ nodeId }) => {
      const broker = await find({ nodeId: String(nodeId).split('/', 1)[0]! });
      const before = shown.get(nodeId);
      if (before?.broker === broker) return before.as;
      const produce = async (call: ProduceCall) => produceBatch(broker, call);
      const as = Object.create(broker, { nodeId: { value: nodeId }, produce: { value: produce } }) as Broker;
      shown.set(nodeId, { broker, as });
      return as;
    };
    return cluster;
  });
  return kafka;
}

async function produceBatch(broker: Broker, call: ProduceCall): Promise<unknown> {
  const [{ topic, partitions }] = call.topicData as [ProduceCall['topicData'][0]];
  const [{ partition, firstSequence, messages }] = partitions as [(typeof partitions)[0]];
  const { batch } = messages[0] as Message & StandIn;
  const { request, response } = produceProtocol(call);
  const encode = async () => {
    const bytes = encodeProduceRequest({ topic, partition }, batch, {
      transactionalId: call.transactionalId ?? null,
      producerId: BigInt(String(call.producerId)),
      producerEpoch: call.producerEpoch,
      firstSequence,
      timeoutMs: call.timeout,
      timestampMs: Date.now(),
    });
    return asEncoder(bytes);
  };
  try {
    return await broker.connectionPool.send({ request: { ...request, encode }, response });
  } catch (error) {
    // As kafkajs does for its own requests.
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
}

/** The second line of defence: the answer must speak of exactly the partition that was sent to, without an error. */
export function assertAnswered(target: TopicPartition, answer: readonly RecordMetadata[]): void {
  const [entry] = answer;
  const right =
    answer.length === 1 &&
    entry?.topicName === target.topic &&
    entry.partition === target.partition &&
    entry.errorCode === 0;
  if (!right) {
    throw new KafkaError(
      'unexpected-answer',
      `The broker's answer to a send to ${partitionName(target)} does not match what was sent (${answer.length} entries).`,
    );
  }
}
