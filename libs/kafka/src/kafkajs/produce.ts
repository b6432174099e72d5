import { Buffer } from 'node:buffer';
import { CompressionTypes, type IHeaders, type Message, type ProducerRecord, type RecordMetadata } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { EncodedBatch, OutgoingHeaders, OutgoingRecord, TopicPartition } from '../port.ts';
import type { KafkaCompression } from '../wire/codecs.ts';
import { decodeBatch } from '../wire/encoded-batch.ts';
import { prepareBatch, prepareRecords, type PreparedRecords } from './prepared-records.ts';

const COMPRESSION: Readonly<Record<KafkaCompression, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
};

export interface ProduceCall {
  readonly request: ProducerRecord;
  /** To be called once kafkajs has let go of the request, however it ended. */
  release(): void;
}

/**
 * Everything for one topic-partition in one request. kafkajs doubles and loses records when one `send()` reaches
 * several leaders or leaves the partition to its partitioner, so neither ever happens here.
 */
export function produceCall(
  target: TopicPartition,
  records: readonly OutgoingRecord[],
  options: { readonly compression: KafkaCompression; readonly requestTimeoutMs: number },
): ProduceCall {
  const { partition } = target;
  const prepared =
    options.compression === 'none'
      ? { messages: records.map((record) => toMessage(record, partition)), release: () => undefined }
      : prepareRecords(records, partition);
  return callOf(target, prepared, options);
}

/** The same for a batch that is compressed already; without a compression there is no codec that would put it in its place. */
export async function batchCall(
  target: TopicPartition,
  batch: EncodedBatch,
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): Promise<ProduceCall> {
  const options = { compression: batch.compression, requestTimeoutMs };
  if (batch.compression === 'none') return produceCall(target, await decodeBatch(batch), options);
  return callOf(target, prepareBatch(batch, target.partition), options);
}

function callOf(
  { topic }: TopicPartition,
  { messages, release }: PreparedRecords,
  { compression, requestTimeoutMs }: { readonly compression: KafkaCompression; readonly requestTimeoutMs: number },
): ProduceCall {
  // Below the client's own time-out, so that the broker's answer tells that it gave up.
  const timeout = Math.max(500, requestTimeoutMs - 500);
  return { release, request: { topic, acks: -1, timeout, compression: COMPRESSION[compression], messages } };
}

function toMessage({ key, value, headers }: OutgoingRecord, partition: number): Message {
  const whole = value === null || Buffer.isBuffer(value) ? value : Buffer.concat(value);
  const message: Message = { partition, key, value: whole };
  if (headers) message.headers = definedHeaders(headers);
  return message;
}

function definedHeaders(headers: OutgoingHeaders): IHeaders {
  const defined: IHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) defined[name] = Buffer.isBuffer(value) ? value : Buffer.from(value, 'utf8');
  }
  return defined;
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
