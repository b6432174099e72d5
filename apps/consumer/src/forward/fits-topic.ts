import type { OutgoingRecord } from '@genesys-kafka/kafka';
import { BatchBuilder, type KafkaCompression } from '@genesys-kafka/kafka/wire';

/** Of a record batch, in front of its records. */
const BATCH_HEADER_BYTES = 61;

/**
 * Whether a topic with this `max.message.bytes` takes the record in a batch of its own. Brokers measure the batch as it
 * is sent: compressed, with key and headers. Compressing a record only to measure it is rare enough to be done in place.
 */
export function fitsTopic(record: OutgoingRecord, maxBytes: number, compression: KafkaCompression): boolean {
  const builder = new BatchBuilder();
  builder.add(record);
  const unpacked = BATCH_HEADER_BYTES + builder.bytes;
  // What cannot be packed grows a little.
  if (unpacked * 1.01 <= maxBytes) return true;
  return BATCH_HEADER_BYTES + builder.build(compression).bytes.length <= maxBytes;
}
