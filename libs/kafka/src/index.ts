export {
  FramingError,
  KafkaError,
  SchemaRegistryError,
  type KafkaErrorCode,
  type SchemaRegistryErrorCode,
} from './errors.ts';
export { frame, frameHeader, unframe } from './framing.ts';
export { fitsCompressed } from './fits-compressed.ts';
export {
  claimLane,
  lastClaim,
  LedgerBlockedError,
  TakenOverError,
  type ClaimedLane,
  type LaneIdentity,
} from './lane.ts';
export {
  CLAIM_PREFIX,
  decodeLedgerValue,
  LedgerUnreadableError,
  windowKey,
  type Claim,
  type Contract,
  type LedgerEntry,
  type Position,
  type RecordCounts,
  type SourceIdentity,
  type WindowError,
  type WindowState,
} from './ledger.ts';
export {
  LaneInterruptedError,
  LanePublisher,
  type PublisherEvents,
  type PublisherLimits,
  type PublishStep,
} from './publisher.ts';
export { createKafkaClient } from './kafkajs/client.ts';
export type { KafkaClientOptions, KafkaCompression, KafkaSasl } from './kafkajs/connection.ts';
export type { KafkaLogger } from './kafkajs/log-bridge.ts';
export { murmur2, partitionFor } from './partitioner.ts';
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
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Transaction,
  TransactionalProducer,
} from './port.ts';
export { OPEN_TRANSACTION_MS, readToEnd, type ReadToEndOptions } from './read-to-end.ts';
export { checkTopic, LANES, topicSpecs, type TopicOptions, type TopicSpecs } from './topics.ts';
export {
  createSchemaRegistry,
  type Compatibility,
  type RegisteredSchema,
  type ResolveOptions,
  type SchemaRegistry,
  type SchemaRegistryOptions,
} from './schema-registry.ts';
