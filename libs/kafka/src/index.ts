export { checkCluster } from './check-cluster.ts';
export { claimPartitions, type ClaimedPartition, type PartitionClaim } from './claim-partitions.ts';
export { connectKafka, type KafkaSettings } from './connect.ts';
export { KAFKA_ERRORS, KafkaError, type KafkaErrorCode } from './errors.ts';
export { createKafkaClient } from './kafkajs/client.ts';
export type { KafkaClientOptions, KafkaSasl } from './kafkajs/connection.ts';
export type { KafkaLogger } from './kafkajs/log-bridge.ts';
export { partitionName } from './partition-name.ts';
export type {
  ConsumedRecord,
  GroupAssignment,
  GroupBatch,
  GroupConsumer,
  GroupHandler,
  GroupOptions,
  KafkaAdmin,
  KafkaClient,
  OutgoingHeaders,
  OutgoingRecord,
  PartitionOffsets,
  PartitionSlice,
  Producer,
  ReadOptions,
  TopicPartition,
  Transaction,
  TransactionalProducer,
} from './port.ts';
export { checkTopics, prepareTopics } from './prepare-topics.ts';
export { OPEN_TRANSACTION_MS, readToEnd, type ReadToEndOptions } from './read-to-end.ts';
export { recordBytes } from './record-bytes.ts';
export { sendAll, type PartitionRecords } from './send-all.ts';
export type { KafkaCompression } from './wire/codecs.ts';
export { fitsCompressed } from './wire/fits-compressed.ts';
