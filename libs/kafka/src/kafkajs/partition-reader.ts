import { systemClock, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { PartitionSlice, ReadOptions, TopicPartition } from '../port.ts';
import type { FetchedPartition } from '../wire/fetch-response.ts';
import { decodeBatches } from '../wire/record-batch.ts';
import { UnpackBudget } from '../wire/unpack-budget.ts';
import type { Connection } from './connection.ts';
import { toKafkaError, type FailureContext } from './errors-mapping.ts';
import { createCluster, fetchPartition, type Cluster } from './internals.ts';

const MIB = 1024 * 1024;
const FETCH_BYTES = 4 * MIB;
const RETRY_MS = 100;
/** How long a read goes on without one answered fetch before it gives up. */
const PATIENCE_MS = 60_000;
/** A broker that has just started, or a topic that is just made, is unknown for a moment. */
const TOPIC_PATIENCE_MS = 5000;

/**
 * Reads one partition, read_committed, without a group. Leader changes and lost connections are waited out for a
 * minute; after that, and for every error that cannot heal, it throws a `KafkaError`. Its connections are its own,
 * since a broker answers the requests of one connection one after the other and an idle fetch waits.
 */
export async function* readPartition(
  connection: Connection,
  target: TopicPartition,
  options: ReadOptions,
  clock: Clock = systemClock,
): AsyncGenerator<PartitionSlice, void, undefined> {
  const { signal } = options;
  const context: FailureContext = {
    doing: `read ${partitionName(target)}`,
    brokers: connection.brokers,
    details: { topic: target.topic, partition: target.partition },
  };
  signal?.throwIfAborted();
  const cluster = createCluster(connection.kafka());
  const patient = patience(cluster, context, clock, signal);
  try {
    await patient(async () => {
      await cluster.connect();
      await cluster.addTargetTopic(target.topic);
    });
    // The first slice comes at once, also where there is nothing: it tells where the log ends.
    let maxWaitMs = 0;
    let offset = options.from === 'start' ? await patient(() => logStart(cluster, target)) : options.from;
    for (;;) {
      const from = offset;
      const fetched = await patient(() => fetchOnce(cluster, target, from, maxWaitMs));
      maxWaitMs = options.maxWaitMs ?? 500;
      const decoded = await decodeBatches(fetched.batches, {
        ...target,
        from,
        aborted: fetched.abortedTransactions,
        visit: options.visit,
        wants: options.wants,
        budget: new UnpackBudget(connection.maxDecompressedBytes),
      });
      if (decoded.nextOffset !== undefined && decoded.nextOffset > offset) offset = decoded.nextOffset;
      const { lastStableOffset, highWatermark } = fetched;
      yield { records: decoded.records, nextOffset: offset, lastStableOffset, highWatermark };
      signal?.throwIfAborted();
    }
  } finally {
    // Not awaited: kafkajs waits for answers in flight, and a reader that stops owes nobody that time.
    cluster.disconnect().catch(() => undefined);
  }
}

async function logStart(cluster: Cluster, target: TopicPartition): Promise<bigint> {
  const topics = await cluster.fetchTopicsOffset([
    { topic: target.topic, fromBeginning: true, partitions: [{ partition: target.partition }] },
  ]);
  const offset = topics[0]?.partitions[0]?.offset;
  if (offset === undefined) throw noSuchPartition(target);
  return BigInt(offset);
}

async function fetchOnce(
  cluster: Cluster,
  target: TopicPartition,
  offset: bigint,
  maxWaitMs: number,
): Promise<FetchedPartition> {
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(target.topic, [target.partition]));
  if (nodeId === undefined) throw noSuchPartition(target);
  const broker = await cluster.findBroker({ nodeId });
  return fetchPartition(broker, {
    ...target,
    fetchOffset: offset.toString(),
    maxBytes: FETCH_BYTES,
    maxWaitMs,
  });
}

function noSuchPartition({ topic, partition }: TopicPartition): KafkaError {
  return new KafkaError('topic-missing', `Topic ${topic} has no partition ${partition}.`);
}

/** Wraps calls so that what can heal is tried again, with fresh metadata, until `PATIENCE_MS` have passed in vain. */
function patience(cluster: Cluster, context: FailureContext, clock: Clock, signal: AbortSignal | undefined) {
  return async function patient<T>(call: () => Promise<T>): Promise<T> {
    const started = clock.monotonicMs();
    for (;;) {
      try {
        return await unlessAborted(call(), signal);
      } catch (error) {
        signal?.throwIfAborted();
        const failure = toKafkaError(error, context);
        const waitedMs = clock.monotonicMs() - started;
        const bound = failure.code === 'topic-missing' ? TOPIC_PATIENCE_MS : failure.retry ? PATIENCE_MS : 0;
        if (waitedMs >= bound) throw failure;
        await recover(cluster, error);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  };
}

async function recover(cluster: Cluster, error: unknown): Promise<void> {
  const { name, host, port } = error as { name?: string; host?: string; port?: number };
  if (name === 'KafkaJSConnectionClosedError' && host !== undefined && port !== undefined) {
    cluster.removeBroker({ host, port });
  }
  // A failure here is the next attempt's failure: it has its own try.
  await cluster.refreshMetadata().catch(() => undefined);
}
