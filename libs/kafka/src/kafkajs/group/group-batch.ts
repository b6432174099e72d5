import type { Batch, KafkaMessage } from 'kafkajs';
import type { ConsumedRecord, GroupBatch } from '../../port.ts';

/** A batch as kafkajs hands it out, in the words of the port. */
export function toGroupBatch(batch: Batch): GroupBatch {
  const { topic, partition } = batch;
  return {
    topic,
    partition,
    records: batch.messages.map((message): ConsumedRecord => {
      const { offset, timestamp, key, value } = message;
      const place = { topic, partition, offset: BigInt(offset), timestampMs: Number(timestamp) };
      return { ...place, key, value, headers: lastHeaders(message) };
    }),
    nextOffset: BigInt(batch.lastOffset()) + 1n,
    highWatermark: BigInt(batch.highWatermark),
  };
}

/** Of several headers with one name the last one counts, as with the Java client's lastHeader(). */
function lastHeaders({ headers = {} }: KafkaMessage): Record<string, Buffer> {
  const lasts: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(headers)) {
    const last: unknown = Array.isArray(value) ? value.at(-1) : value;
    if (Buffer.isBuffer(last)) lasts[name] = last;
  }
  return lasts;
}
