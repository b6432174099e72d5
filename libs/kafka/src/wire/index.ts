/** What a thread needs that makes batches and never talks to a broker: no client is loaded with it. */
export type { KafkaCompression } from './codecs.ts';
export type { EncodedBatch } from '../port.ts';
export { BatchBuilder } from './encoded-batch.ts';
export { fitsCompressed } from './fits-compressed.ts';
export { EncodedHeaders } from './record-encoder.ts';
