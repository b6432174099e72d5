import { Buffer } from 'node:buffer';
import { CompressionTypes, type IHeaders, type Message, type ProducerRecord, type RecordMetadata } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { OutgoingHeaders, OutgoingRecord, TopicPartition } from '../port.ts';
import type { KafkaCompression } from '../wire/codecs.ts';
import { prepareRecords } from './prepared-records.ts';

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
  const { messages, release } =
    options.compression === 'none'
      ? { messages: records.map((record) => toMessage(record, target.partition)), release: () => undefined }
      : prepareRecords(records, target.partition);
  return {
    release,
    request: {
      topic: target.topic,
      acks: -1,
      // Below the client's own time-out, so that the broker's answer tells that it gave up.
      timeout: Math.max(500, options.requestTimeoutMs - 500),
      compression: COMPRESSION[options.compression],
      messages,
    },
  };
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
