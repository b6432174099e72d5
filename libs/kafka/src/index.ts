export { checkCluster } from './check-cluster.ts';
export { checkLogin, checkRights, type NeededRights } from './check-rights.ts';
export { claimPartitions } from './claim-partitions.ts';
export { connectKafka } from './connect.ts';
export { KafkaError, withRemedy, type KafkaErrorCode } from './errors.ts';
export { createKafkaClient } from './kafkajs/client.ts';
export type { KafkaClientOptions } from './kafkajs/connection.ts';
export { partitionName } from './partition-name.ts';
export {
  type ConsumedRecord,
  type EncodedBatch,
  type GroupAssignment,
  type GroupBatch,
  type GroupCommit,
  type GroupConsumer,
  type GroupHandler,
  type GroupOptions,
  type KafkaAdmin,
  type KafkaClient,
  MOST_BATCHES,
  type OutgoingHeaders,
  type OutgoingRecord,
  type PartitionOffsets,
  type PartitionSlice,
  type Producer,
  type ReadOptions,
  type RecordView,
  type TopicPartition,
  type Transaction,
  type TransactionalProducer,
} from './port.ts';
export { prepareTopics } from './prepare-topics.ts';
export { OPEN_TRANSACTION_MS, readToEnd, type ReadToEndOptions } from './read-to-end.ts';
export { recordBytes } from './record-bytes.ts';
export { sendAll } from './send-all.ts';
export { decodeBatch } from './wire/encoded-batch.ts';
