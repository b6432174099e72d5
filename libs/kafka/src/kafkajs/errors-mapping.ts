import { KafkaError, type KafkaErrorCode } from '../errors.ts';

/** What was being done, for the message: "send to orders-3 at localhost:9092". */
export interface FailureContext {
  readonly doing: string;
  readonly brokers: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

interface Verdict {
  readonly code: KafkaErrorCode;
  readonly retry: boolean;
  readonly advice: string;
}

const UNREACHABLE: Verdict = {
  code: 'broker-unreachable',
  retry: true,
  advice:
    'Check that the brokers run, that KAFKA_BROKERS and their advertised.listeners can be reached from here, and KAFKA_SSL.',
};
const NOT_READY: Verdict = { code: 'broker-not-ready', retry: true, advice: 'The cluster is moving work; try again.' };
const FENCED: Verdict = {
  code: 'producer-fenced-or-timed-out',
  retry: false,
  advice: 'Another instance has taken over this transactional id, or the transaction took too long. Read the log.',
};
const SEQUENCE: Verdict = {
  code: 'producer-sequence-broken',
  retry: true,
  advice: 'The broker no longer knows this producer’s sequence; a new producer starts afresh.',
};
const LOGIN: Verdict = {
  code: 'authentication-failed',
  retry: false,
  advice: 'Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, and KAFKA_SSL for a TLS listener.',
};
const FORBIDDEN: Verdict = {
  code: 'authorization-failed',
  retry: false,
  advice: 'Grant this principal the right (ACLs on the topic prefix, group and transactional ids carry it too).',
};
const NO_TOPIC: Verdict = {
  code: 'topic-missing',
  retry: false,
  advice: 'Create the topic, or check the topic prefix.',
};
const TOO_LARGE: Verdict = {
  code: 'message-too-large',
  retry: false,
  advice: 'Raise the topic’s max.message.bytes, or send less at a time.',
};
const TOO_FEW_REPLICAS: Verdict = {
  code: 'not-enough-replicas',
  retry: true,
  advice: 'Fewer in-sync replicas than min.insync.replicas: bring the missing brokers back.',
};
const REBALANCE: Verdict = {
  code: 'rebalance-in-progress',
  retry: false,
  advice: 'The partition may belong to another member by now: drop what is in hand, it is delivered again.',
};
const RECORD: Verdict = { code: 'record-refused', retry: false, advice: 'The broker refuses what the record holds.' };
const TOPIC: Verdict = {
  code: 'topic-refused',
  retry: false,
  advice: 'The cluster refuses the topic’s settings; create it by hand with settings that its policy allows.',
};
const UNSUPPORTED: Verdict = {
  code: 'kafka-unsupported',
  retry: false,
  advice: 'This broker does not speak a request that is needed; use Apache Kafka 2.3 or later.',
};
const TLS: Verdict = {
  code: 'tls-failed',
  retry: false,
  advice: 'Check KAFKA_SSL, the listener’s port and the certificate authority (tls.caFile, NODE_EXTRA_CA_CERTS).',
};
const OUT_OF_RANGE: Verdict = {
  code: 'offset-out-of-range',
  retry: false,
  advice: 'The log no longer holds that offset (retention, or the topic was made anew): start from its beginning.',
};
const OTHER: Verdict = { code: 'kafka-failed', retry: false, advice: 'The cause has the details.' };

const BY_TYPE: Readonly<Record<string, Verdict>> = {
  INVALID_PRODUCER_EPOCH: FENCED,
  INVALID_TXN_STATE: FENCED,
  INVALID_PRODUCER_ID_MAPPING: FENCED,
  TRANSACTION_COORDINATOR_FENCED: FENCED,
  OUT_OF_ORDER_SEQUENCE_NUMBER: SEQUENCE,
  DUPLICATE_SEQUENCE_NUMBER: SEQUENCE,
  UNKNOWN_PRODUCER_ID: SEQUENCE,
  SASL_AUTHENTICATION_FAILED: LOGIN,
  UNSUPPORTED_SASL_MECHANISM: LOGIN,
  ILLEGAL_SASL_STATE: LOGIN,
  SECURITY_DISABLED: LOGIN,
  TOPIC_AUTHORIZATION_FAILED: FORBIDDEN,
  GROUP_AUTHORIZATION_FAILED: FORBIDDEN,
  CLUSTER_AUTHORIZATION_FAILED: FORBIDDEN,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: FORBIDDEN,
  UNKNOWN_TOPIC_OR_PARTITION: NO_TOPIC,
  INVALID_TOPIC_EXCEPTION: TOPIC,
  INVALID_PARTITIONS: TOPIC,
  INVALID_REPLICATION_FACTOR: TOPIC,
  INVALID_REPLICA_ASSIGNMENT: TOPIC,
  INVALID_CONFIG: TOPIC,
  POLICY_VIOLATION: TOPIC,
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  NOT_ENOUGH_REPLICAS: TOO_FEW_REPLICAS,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: TOO_FEW_REPLICAS,
  REBALANCE_IN_PROGRESS: REBALANCE,
  ILLEGAL_GENERATION: REBALANCE,
  UNKNOWN_MEMBER_ID: REBALANCE,
  FENCED_INSTANCE_ID: REBALANCE,
  INVALID_RECORD: RECORD,
  INVALID_TIMESTAMP: RECORD,
  CORRUPT_MESSAGE: RECORD,
  OFFSET_OUT_OF_RANGE: OUT_OF_RANGE,
  UNSUPPORTED_VERSION: UNSUPPORTED,
  NETWORK_EXCEPTION: UNREACHABLE,
  REQUEST_TIMED_OUT: UNREACHABLE,
  BROKER_NOT_AVAILABLE: UNREACHABLE,
  CONCURRENT_TRANSACTIONS: NOT_READY,
  NOT_CONTROLLER: NOT_READY,
};

const BY_NAME: Readonly<Record<string, Verdict>> = {
  KafkaJSConnectionError: UNREACHABLE,
  KafkaJSConnectionClosedError: UNREACHABLE,
  KafkaJSRequestTimeoutError: UNREACHABLE,
  KafkaJSBrokerNotFound: UNREACHABLE,
  KafkaJSLockTimeout: UNREACHABLE,
  KafkaJSTimeout: UNREACHABLE,
  KafkaJSNoBrokerAvailableError: UNREACHABLE,
  KafkaJSGroupCoordinatorNotFound: UNREACHABLE,
  KafkaJSMetadataNotLoaded: NO_TOPIC,
  KafkaJSTopicMetadataNotLoaded: NO_TOPIC,
  KafkaJSSASLAuthenticationError: LOGIN,
  KafkaJSServerDoesNotSupportApiKey: UNSUPPORTED,
};

/** kafkajs knows no code past 88 and puts the number into the text only. 90 is PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_TEXT = 'Unknown error code 90';
const TLS_CODES = /^(?:ERR_SSL|ERR_TLS|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** Every failure of kafkajs as a `KafkaError`; a `KafkaError` inside (a codec's) comes out as it is. */
export function toKafkaError(error: unknown, context: FailureContext): KafkaError {
  const chain = causes(error);
  const own = chain.find((cause) => cause instanceof KafkaError);
  if (own) return own;
  const verdict = chain.map(verdictOf).find((found) => found !== undefined) ?? OTHER;
  const root = chain.at(-1);
  const reason = root instanceof Error ? root.message : String(root);
  return new KafkaError(
    verdict.code,
    `Kafka could not ${context.doing} (${context.brokers}): ${withoutFullStop(reason)}. ${verdict.advice}`,
    { retry: verdict.retry, cause: error, ...(context.details ? { details: context.details } : {}) },
  );
}

/** From the outside in: kafkajs wraps the reason in "retries exceeded" and "non-retriable" errors. */
function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && !chain.includes(at);) {
    chain.push(at);
    const { errors, cause, originalError } = at as { errors?: unknown[]; cause?: unknown; originalError?: unknown };
    at = errors?.[0] ?? cause ?? originalError;
  }
  return chain;
}

function verdictOf(error: unknown): Verdict | undefined {
  if (!(error instanceof Error)) return undefined;
  const { type, code, retriable } = error as Error & { type?: unknown; code?: unknown; retriable?: unknown };
  if (typeof type === 'string') {
    if (error.message.includes(PRODUCER_FENCED_TEXT)) return FENCED;
    const known = BY_TYPE[type];
    if (known) return known;
    return retriable === true ? NOT_READY : OTHER;
  }
  if (typeof code === 'string' && TLS_CODES.test(code)) return TLS;
  return BY_NAME[error.name];
}

function withoutFullStop(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}
