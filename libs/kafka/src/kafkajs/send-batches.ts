import assert from 'node:assert/strict';
import type { Kafka, Message, ProducerRecord, RecordMetadata } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import { MOST_BATCHES, type EncodedBatch, type TopicPartition } from '../port.ts';
import { encodeProduceRequest } from '../wire/produce-request.ts';
import { Enrolment } from './enrolment.ts';
import {
  asEncoder,
  clusterMaker,
  produceProtocol,
  type Broker,
  type ProduceAnswer,
  type ProduceCall,
  type TransactionCoordinator,
} from './internals.ts';
import { forgetBody, placeHolder } from './request-bodies.ts';

/** In kafkajs's hands in place of each record of the batches: it counts them, for its sequence numbers. */
interface StandIn {
  readonly batches: readonly EncodedBatch[];
}

/** Sequence numbers are counted in this many steps, then from 0 again. */
const SEQUENCES = 2 ** 31;

/**
 * Batches for one topic-partition, at most `MOST_BATCHES`, as one `send()`. kafkajs doubles and loses records when one
 * `send()` reaches several leaders or leaves the partition to its partitioner, so neither ever happens here.
 */
export function batchesRequest(
  { topic, partition }: TopicPartition,
  batches: readonly EncodedBatch[],
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): ProducerRecord {
  assert(batches.length <= MOST_BATCHES, 'more batches than a broker knows again');
  // Below the client's own time-out, so that the broker's answer tells that it gave up.
  const timeout = Math.max(500, requestTimeoutMs - 500);
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const standIn: Message & StandIn = {
    ...{ partition, batches, value: null },
    // Only an encoder asks for it: what kafkajs would send are empty records.
    get key(): never {
      throw new Error('kafkajs encodes a batch by itself: a bug');
    },
  };
  return { topic, acks: -1, timeout, messages: new Array<Message>(count).fill(standIn) };
}

/**
 * Has the producer of `kafka` that is made next send what `batchesRequest` gives, and nothing else.
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
    const findCoordinator = cluster.findGroupCoordinator.bind(cluster);
    let enrolment: Enrolment | undefined;
    // Asked for by a producer of transactions alone, before each of its three requests.
    cluster.findGroupCoordinator = async (of) => {
      const find = async (): Promise<TransactionCoordinator> => findCoordinator(of);
      const enrolling = (enrolment ??= new Enrolment(find));
      const coordinator: TransactionCoordinator = {
        initProducerId: async (request) => (await find()).initProducerId(request),
        addPartitionsToTxn: async (call) => enrolling.enrol(call),
        endTxn: async (request) => (await find()).endTxn(request),
      };
      return coordinator as Broker;
    };
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
      const produce = async (call: ProduceCall) => produceBatches(broker, call);
      const as = Object.create(broker, { nodeId: { value: nodeId }, produce: { value: produce } }) as Broker;
      shown.set(nodeId, { broker, as });
      return as;
    };
    return cluster;
  });
  return kafka;
}

/**
 * A request a batch, all of them under way at once, but for a producer's first one: they arrive in their order, on one
 * connection. Where one fails, those behind it are refused for their sequence numbers, and kafkajs sends all of them
 * again; the broker knows those that it has taken by the numbers (it remembers the last five of a producer: KIP-98), and
 * takes none twice.
 */
async function produceBatches(broker: Broker, call: ProduceCall): Promise<unknown> {
  const [{ topic, partitions }] = call.topicData as [ProduceCall['topicData'][0]];
  const [{ partition, firstSequence, messages }] = partitions as [(typeof partitions)[0]];
  const { batches } = messages[0] as Message & StandIn;
  const { request, response } = produceProtocol(call);
  let sequence = firstSequence;
  const send = async (batch: EncodedBatch) => {
    const sender = {
      transactionalId: call.transactionalId ?? null,
      producerId: BigInt(String(call.producerId)),
      producerEpoch: call.producerEpoch,
      firstSequence: sequence,
    };
    sequence = (sequence + batch.count) % SEQUENCES;
    let place: Buffer | undefined;
    const encode = async () => {
      const options = { ...sender, timeoutMs: call.timeout, timestampMs: Date.now() };
      place = placeHolder(encodeProduceRequest({ topic, partition }, batch, options));
      return asEncoder(place);
    };
    try {
      return await broker.connectionPool.send({ request: { ...request, encode }, response });
    } finally {
      if (place) forgetBody(place);
    }
  };
  // Of a producer that a partition does not know a broker takes any number: were the first batch refused for a moment, as
  // by a broker that is about to lead the partition, the second would be taken before it.
  const alone = firstSequence === 0 ? await Promise.allSettled(batches.slice(0, 1).map(send)) : [];
  const isRefused = alone.some(({ status }) => status === 'rejected');
  const others = isRefused ? [] : await Promise.allSettled(batches.slice(alone.length).map(send));
  const settled = [...alone, ...others];
  // The first failure is what happened; those behind it may only follow from it.
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) {
    const error = failed.reason as Error;
    // As kafkajs does for its own requests.
    if (error.name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
  return { topics: settled.flatMap((one) => (one as PromiseFulfilledResult<ProduceAnswer>).value.topics) };
}

/** The second line of defence: an answer a batch, of exactly the partition that was sent to, without an error. */
export function assertAnswered(target: TopicPartition, batches: number, answer: readonly RecordMetadata[]): void {
  const isRight = ({ topicName, partition, errorCode }: RecordMetadata) =>
    topicName === target.topic && partition === target.partition && errorCode === 0;
  if (answer.length === batches && answer.every(isRight)) return;
  throw new KafkaError(
    'unexpected-answer',
    `The broker's answer to a send to ${partitionName(target)} does not match what was sent (${answer.length} entries for ${batches} batches).`,
  );
}
