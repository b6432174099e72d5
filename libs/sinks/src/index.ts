export { createSink, type SinkConfig } from './create-sink.ts';
export type { BatchObject, ObjectBatch } from './s3/object-batch.ts';
export { S3Sink } from './s3/s3-sink.ts';
