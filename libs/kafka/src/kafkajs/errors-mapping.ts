import { networkFault } from '@genesys-kafka/http';
import { within } from '@genesys-kafka/resilience';
import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import { isInsecureLogin } from './socket-factory.ts';

/** What was being done, for the message: "send to orders-3 at localhost:9092". */
export interface FailureContext {
  readonly doing: string;
  readonly brokers: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** The `type` of kafkajs's protocol errors, by what they mean to us. */
const CODE_OF_TYPE = byText({
  'producer-fenced-or-timed-out': [
    'INVALID_PRODUCER_EPOCH',
    'INVALID_TXN_STATE',
    'INVALID_PRODUCER_ID_MAPPING',
    'TRANSACTION_COORDINATOR_FENCED',
  ],
  'producer-sequence-broken': ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'DUPLICATE_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'],
  'authentication-failed': [
    'SASL_AUTHENTICATION_FAILED',
    'UNSUPPORTED_SASL_MECHANISM',
    'ILLEGAL_SASL_STATE',
    'SECURITY_DISABLED',
  ],
  'authorization-failed': [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  ],
  'topic-missing': ['UNKNOWN_TOPIC_OR_PARTITION'],
  'topic-refused': [
    'INVALID_TOPIC_EXCEPTION',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_REPLICA_ASSIGNMENT',
    'INVALID_CONFIG',
    'POLICY_VIOLATION',
  ],
  'message-too-large': ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
  'not-enough-replicas': ['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  'rebalance-in-progress': ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'],
  'record-refused': ['INVALID_RECORD', 'INVALID_TIMESTAMP', 'CORRUPT_MESSAGE'],
  'offset-out-of-range': ['OFFSET_OUT_OF_RANGE'],
  'kafka-unsupported': ['UNSUPPORTED_VERSION'],
  'broker-unreachable': ['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT', 'BROKER_NOT_AVAILABLE'],
  'broker-not-ready': ['CONCURRENT_TRANSACTIONS', 'NOT_CONTROLLER'],
});

/** The `name` of kafkajs's other errors. */
const CODE_OF_NAME = byText({
  'broker-unreachable': [
    'KafkaJSConnectionError',
    'KafkaJSConnectionClosedError',
    'KafkaJSRequestTimeoutError',
    'KafkaJSBrokerNotFound',
    'KafkaJSLockTimeout',
    'KafkaJSTimeout',
    'KafkaJSNoBrokerAvailableError',
    'KafkaJSGroupCoordinatorNotFound',
  ],
  // Of the client's own memory, not of the cluster: a topic that is not there has a protocol error.
  'broker-not-ready': ['KafkaJSMetadataNotLoaded', 'KafkaJSTopicMetadataNotLoaded'],
  'authentication-failed': ['KafkaJSSASLAuthenticationError'],
  'kafka-unsupported': ['KafkaJSServerDoesNotSupportApiKey'],
});

/** kafkajs knows no code past 88 and puts the number into the text only. 90 is PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_TEXT = 'Unknown error code 90';
/** Of a connection that was accepted, and where nobody has said yet what is spoken there: as that of a broker that stands still. */
const NOT_CONNECTED_TEXT = 'Broker not connected';
const INSIDE_KAFKAJS = /[\\/]node_modules[\\/]kafkajs[\\/]/;

/** Every failure of kafkajs as a `KafkaError`; a `KafkaError` inside (a codec's) comes out as it is. */
export function toKafkaError(error: unknown, context: FailureContext): KafkaError {
  const chain = causes(error);
  const own = chain.find((cause) => cause instanceof KafkaError);
  if (own) return own;
  const code = chain.map(codeOf).find((found) => found !== undefined) ?? 'kafka-failed';
  const root = chain.at(-1);
  const reason = (root instanceof Error ? root.message : String(root)).trim();
  return new KafkaError(code, `Kafka could not ${context.doing} (${context.brokers}): ${reason.replace(/\.?$/, '.')}`, {
    cause: error,
    ...(context.details ? { details: context.details } : {}),
  });
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

function codeOf(error: unknown): KafkaErrorCode | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isConfusion(error)) return 'broker-not-ready';
  const { type, retriable } = error as Error & { type?: unknown; retriable?: unknown };
  if (typeof type === 'string') {
    if (error.message.includes(PRODUCER_FENCED_TEXT)) return 'producer-fenced-or-timed-out';
    return CODE_OF_TYPE.get(type) ?? (retriable === true ? 'broker-not-ready' : 'kafka-failed');
  }
  if (error.message === NOT_CONNECTED_TEXT) return 'broker-unreachable';
  if (isInsecureLogin(error.message)) return 'login-insecure';
  if (networkFault(error)?.cause === 'tls-refused') return 'tls-failed';
  return CODE_OF_NAME.get(error.name);
}

/**
 * While leaders move, kafkajs stumbles over what the metadata does not have just then, as over the offsets of a partition
 * without a leader: "Cannot destructure property 'partitions' of 'high.pop(...)'". That is its way of saying "not now".
 */
function isConfusion(error: Error): boolean {
  if (!(error instanceof TypeError)) return false;
  const thrownIn = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return thrownIn !== undefined && INSIDE_KAFKAJS.test(thrownIn);
}

/** kafkajs bounds the number of its attempts, not their time: with brokers that swallow packets they take minutes. */
export async function answeredWithin<T>(work: Promise<T>, ms: number, doing: string): Promise<T> {
  return within(
    work,
    ms,
    () => new KafkaError('broker-unreachable', `No end of "${doing}" within ${ms} ms; the outcome is unknown.`),
  );
}

function byText(table: Partial<Record<KafkaErrorCode, readonly string[]>>): ReadonlyMap<string, KafkaErrorCode> {
  const codes = Object.keys(table) as KafkaErrorCode[];
  return new Map(codes.flatMap((code) => table[code]!.map((text) => [text, code] as const)));
}
