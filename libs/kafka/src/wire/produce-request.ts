import type { EncodedBatch, TopicPartition } from '../port.ts';
import { CODEC_NAMES } from './codecs.ts';
import { crc32c } from './crc32c.ts';

/** The first that may carry zstd (KIP-110); spoken by Kafka 2.1 to 4.x. */
export const PRODUCE_VERSION = 7;

/** Who sends a batch, and as which of its records for the partition. */
export interface BatchSender {
  /** Null for a producer without transactions. */
  readonly transactionalId: string | null;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

export interface ProduceOptions extends BatchSender {
  /** How long the broker may wait for its replicas: all in sync have to have the batch. */
  readonly timeoutMs: number;
  readonly timestampMs: number;
}

const ACKS_OF_ALL = -1;
const BATCH_HEADER_BYTES = 61;
/** Of the header: what comes before that which the checksum is of. */
const CRC_AT = 17;
const MAGIC = 2;
const TRANSACTIONAL = 0x10;

/**
 * The body of a Produce request with one record batch (https://kafka.apache.org/protocol#The_Messages_Produce and
 * https://kafka.apache.org/documentation/#recordbatch), in memory of its exact size.
 */
export function encodeProduceRequest(
  { topic, partition }: TopicPartition,
  { count, compression, bytes }: EncodedBatch,
  options: ProduceOptions,
): Buffer {
  const { transactionalId, timeoutMs, timestampMs, producerId, producerEpoch, firstSequence } = options;
  const idBytes = transactionalId === null ? 0 : Buffer.byteLength(transactionalId);
  const batchBytes = BATCH_HEADER_BYTES + bytes.length;
  const request = Buffer.allocUnsafeSlow(2 + idBytes + 10 + 2 + Buffer.byteLength(topic) + 12 + batchBytes);
  let at = writeText(request, 0, transactionalId);
  at = request.writeInt16BE(ACKS_OF_ALL, at);
  at = request.writeInt32BE(timeoutMs, at);
  at = writeText(request, request.writeInt32BE(1, at), topic);
  at = request.writeInt32BE(1, at);
  at = request.writeInt32BE(partition, at);
  at = request.writeInt32BE(batchBytes, at);

  const batch = request.subarray(at);
  const isTransactional = transactionalId === null ? 0 : TRANSACTIONAL;
  at = batch.writeBigInt64BE(0n, 0); // base offset: the broker's
  at = batch.writeInt32BE(batchBytes - 12, at);
  at = batch.writeInt32BE(0, at); // partition leader epoch: the broker's
  at = batch.writeInt8(MAGIC, at);
  at = batch.writeInt16BE(CODEC_NAMES.indexOf(compression) | isTransactional, CRC_AT + 4);
  at = batch.writeInt32BE(count - 1, at);
  at = batch.writeBigInt64BE(BigInt(timestampMs), at);
  at = batch.writeBigInt64BE(BigInt(timestampMs), at);
  at = batch.writeBigInt64BE(producerId, at);
  at = batch.writeInt16BE(producerEpoch, at);
  at = batch.writeInt32BE(firstSequence, at);
  at = batch.writeInt32BE(count, at);
  batch.set(bytes, at);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_AT + 4)), CRC_AT);
  return request;
}

function writeText(target: Buffer, from: number, text: string | null): number {
  if (text === null) return target.writeInt16BE(-1, from);
  const bytes = target.write(text, from + 2);
  return target.writeInt16BE(bytes, from) + bytes;
}
