import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { Kafka, KafkaMessage } from 'kafkajs';

const { CompressionCodecs, CompressionTypes } = kafkajs;

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});

const LOOK_MS = 250;
/** Without a value and with this key: the end of what is to be read of a partition. */
const END = 'proof-end';

type OnRecord = (record: KafkaMessage, partition: number) => void;

/**
 * Every committed record of a topic, in the order of each partition, once every transaction that is open now is decided.
 * A plain kafkajs consumer, which shares nothing with the product's own: a record of ours in every partition tells it
 * where the end is, and is seen only when all before it is decided.
 */
export async function readToEnd(kafka: Kafka, topic: string, onRecord: OnRecord, signal: AbortSignal): Promise<void> {
  const partitions = await markEnds(kafka, topic);
  const open = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  await using reader = await follow(kafka, topic, (record, partition) => {
    if (!open.has(partition)) return;
    if (String(record.key) !== END) onRecord(record, partition);
    else if (record.value === null) open.delete(partition);
    if (open.size === 0) reader.end();
  });
  await reader.until(signal);
}

export interface Following extends AsyncDisposable {
  /** What `until` waits for has come. */
  end(): void;
  /** Rejects with the signal's reason, or where the reader breaks down. */
  until(signal: AbortSignal): Promise<void>;
}

/**
 * Hands on the committed records of a topic from its beginning, each once, and new ones as they come, until disposed.
 */
export async function follow(kafka: Kafka, topic: string, onRecord: OnRecord): Promise<Following> {
  const consumer = kafka.consumer({ groupId: `proof-${randomUUID()}`, readUncommitted: false, maxWaitTimeInMs: 500 });
  const ended = Promise.withResolvers<undefined>();
  ended.promise.catch(() => undefined);
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) ended.reject(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  // Where a reader loses its session, or a broker, kafkajs begins anew at the beginning.
  const next = new Map<number, bigint>();
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message, partition }) => {
      const offset = BigInt(message.offset);
      if (offset < (next.get(partition) ?? 0n)) return;
      next.set(partition, offset + 1n);
      onRecord(message, partition);
    },
  });
  return {
    end: () => ended.resolve(undefined),
    until: async (signal) => {
      const abort = () => ended.reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      await ended.promise.finally(() => signal.removeEventListener('abort', abort));
    },
    [Symbol.asyncDispose]: async () => consumer.disconnect(),
  };
}

/** Resolves once the topic has been made. */
export async function untilThere(kafka: Kafka, topic: string, signal: AbortSignal): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    while (!(await admin.listTopics()).includes(topic)) await delay(LOOK_MS, undefined, { signal });
  } finally {
    await admin.disconnect();
  }
}

async function markEnds(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]!.partitions.map(({ partitionId }) => partitionId);
    for (const partition of partitions)
      await producer.send({ topic, messages: [{ key: END, value: null, partition }] });
    return partitions.length;
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}
