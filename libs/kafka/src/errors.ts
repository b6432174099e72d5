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
