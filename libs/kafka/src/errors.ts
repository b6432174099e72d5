import { OperationalError, type OperationalErrorOptions } from '@genesys-kafka/resilience';

/** The codes a `KafkaError` can carry. Scripts and tests rely on them. */
export type KafkaErrorCode =
  | 'authentication-failed'
  | 'authorization-failed'
  | 'broker-not-ready'
  | 'broker-unreachable'
  | 'client-closed'
  | 'codec-unsupported'
  | 'decompression-limit'
  | 'kafka-failed'
  | 'kafka-unsupported'
  | 'message-too-large'
  | 'not-enough-replicas'
  | 'offset-out-of-range'
  | 'partition-not-assigned'
  | 'producer-discarded'
  | 'producer-fenced-or-timed-out'
  | 'producer-sequence-broken'
  | 'rebalance-in-progress'
  | 'record-batch-corrupt'
  | 'record-refused'
  | 'tls-failed'
  | 'topic-missing'
  | 'topic-refused'
  | 'unexpected-answer';

/**
 * Everything that goes wrong between this program and the Kafka cluster. `retry` tells whether the same call on a
 * fresh client object may succeed; of a failed send or commit the outcome is unknown whatever it says.
 */
export class KafkaError extends OperationalError {
  declare readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options: OperationalErrorOptions = {}) {
    super(code, message, options);
  }
}

/** A value that is not in Confluent's wire format. One record's fault: the record is a dead letter, the run goes on. */
export class FramingError extends OperationalError {
  constructor(code: 'frame-too-short' | 'frame-wrong-magic' | 'frame-missing', message: string) {
    super(code, message, { scope: 'source' });
  }
}

export type SchemaRegistryErrorCode =
  | 'registry-authentication-failed'
  | 'registry-authorization-failed'
  | 'registry-failed'
  | 'registry-unreachable'
  | 'schema-incompatible'
  | 'schema-invalid'
  | 'schema-not-registered'
  | 'unknown-schema-id';

/** Everything that goes wrong between this program and the schema registry. */
export class SchemaRegistryError extends OperationalError {
  declare readonly code: SchemaRegistryErrorCode;

  constructor(code: SchemaRegistryErrorCode, message: string, options: OperationalErrorOptions = {}) {
    super(code, message, options);
  }
}
