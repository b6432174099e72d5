export { checkCluster } from './check-cluster.ts';
export { connectKafka, type KafkaSettings } from './connect.ts';
export { KafkaError, type KafkaErrorCode } from './errors.ts';
export { createKafkaClient } from './kafkajs/client.ts';
export type { KafkaClientOptions, KafkaCompression, KafkaSasl } from './kafkajs/connection.ts';
export type { KafkaLogger } from './kafkajs/log-bridge.ts';
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
export { OPEN_TRANSACTION_MS, readToEnd, type ReadToEndOptions } from './read-to-end.ts';
export { fitsCompressed } from './wire/fits-compressed.ts';
