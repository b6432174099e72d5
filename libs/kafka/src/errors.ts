import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/**
 * Everything that goes wrong between this program and the Kafka cluster. `retry` tells whether the same call on a
 * fresh client object may succeed; of a failed send or commit the outcome is unknown whatever it says.
 */
export const KAFKA_ERRORS = {
  'authentication-failed': {
    meaning: 'The brokers refuse the login.',
    remedy: 'Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, and KAFKA_SSL for a TLS listener.',
  },
  'authorization-failed': {
    meaning: 'The brokers know who asks and do not allow it.',
    remedy: 'Grant this principal the right (ACLs on the topic prefix, group and transactional ids carry it too).',
  },
  'broker-not-ready': {
    meaning: 'A leader or coordinator is starting or being moved.',
    remedy: 'The cluster is moving work; try again, and check that the brokers are healthy if it lasts.',
    retry: true,
  },
  'broker-unreachable': {
    meaning: 'No broker answers, or not in time.',
    remedy:
      'Check that the brokers run, that KAFKA_BROKERS and their advertised.listeners can be reached from here, and KAFKA_SSL and KAFKA_SASL_MECHANISM: a listener closes a connection without the TLS or the login that it wants.',
    retry: true,
  },
  'client-closed': {
    meaning: 'A producer was used after it had been closed.',
    remedy: 'Make a new one.',
  },
  'codec-unsupported': {
    meaning: 'A topic holds batches in a compression that this client cannot read.',
    remedy:
      'Have them written with zstd or gzip, and set the topic’s compression.type to producer. Past one that is there a group goes by kafka-consumer-groups.sh --reset-offsets --to-offset, once its consumers are stopped.',
  },
  'decompression-limit': {
    meaning: 'A batch unpacks to more than one fetch is allowed to.',
    remedy: 'Raise the limit (maxDecompressedBytes) if the topic is yours, or find out who wrote it.',
  },
  'kafka-failed': {
    meaning: 'The client or a broker failed in a way that has no code of its own.',
    remedy: 'The cause has the details.',
  },
  'kafka-unsupported': {
    meaning: 'The brokers do not speak a request that is needed.',
    remedy: 'Use Apache Kafka 2.3 or later.',
  },
  'login-insecure': {
    meaning: 'A password would go to another machine over a connection without TLS.',
    remedy: 'Set KAFKA_SSL=true and use a TLS listener, or ALLOW_INSECURE_KAFKA=true where the network is trusted.',
  },
  'message-too-large': {
    meaning: 'A batch is larger than its topic allows.',
    remedy: 'Raise the topic’s max.message.bytes, or send less at a time.',
  },
  'not-enough-replicas': {
    meaning: 'A partition has fewer in-sync replicas than min.insync.replicas.',
    remedy: 'Bring the missing brokers back.',
    retry: true,
  },
  'offset-out-of-range': {
    meaning: 'The log no longer holds the offset that is asked for.',
    remedy: 'Retention has passed it, or the topic was made anew: start from its beginning.',
  },
  'partition-not-assigned': {
    meaning: 'A partition was committed or moved by a group member that no longer owns it.',
    remedy: 'Drop what is in hand, its new owner gets it.',
  },
  'producer-discarded': {
    meaning: 'A producer was used after one of its calls had failed or it had been closed.',
    remedy: 'Make a new one.',
  },
  'producer-fenced-or-timed-out': {
    meaning: 'A transaction cannot go on: the brokers do not tell a fenced producer from one that was too slow.',
    remedy: 'Another instance has taken over this transactional id, or the transaction took too long. Read the log.',
  },
  'producer-sequence-broken': {
    meaning: 'The broker does not expect this producer’s sequence number.',
    remedy: 'The broker no longer knows this producer’s sequence; a new producer starts afresh.',
    retry: true,
  },
  'rebalance-in-progress': {
    meaning: 'The group is handing its partitions out anew.',
    remedy: 'The partition may belong to another member by now: drop what is in hand, it is delivered again.',
  },
  'record-batch-corrupt': {
    meaning: 'What a broker answered is no batch of records in Kafka’s message format 2.',
    remedy: 'Check what lies between here and the broker, and the broker’s disks.',
  },
  'record-refused': {
    meaning: 'A broker refuses what a record holds.',
    remedy: 'The broker’s log says what it misses; if it is the timestamp, the clock of this machine is fast: set it.',
  },
  'tls-failed': {
    meaning: 'No secure connection comes about: the certificate or the handshake is not accepted.',
    remedy:
      'Check KAFKA_SSL, the listener’s port, that its certificate is valid and its authority known (tls.caFile, ' +
      'NODE_EXTRA_CA_CERTS), that it speaks TLS 1.2 or later, and KAFKA_CERT_FILE where it asks for a certificate of ours.',
  },
  'topic-missing': {
    meaning: 'A topic or a partition does not exist.',
    remedy: 'Create the topic, or check the topic prefix and the partition count.',
  },
  'topic-refused': {
    meaning: 'The cluster refuses to create a topic with these settings.',
    remedy: 'Create it by hand with settings that the cluster’s policy allows.',
  },
  'topic-unfit': {
    meaning: 'A topic that exists would lose or refuse records as it is set.',
    remedy: 'This program never alters a topic that exists.',
  },
  'unexpected-answer': {
    meaning: 'A broker’s answer to a send does not match what was sent.',
    remedy: 'Whether the records are in the log is unknown; read it before sending again.',
  },
} as const satisfies ErrorTable;

export type KafkaErrorCode = keyof typeof KAFKA_ERRORS;

export class KafkaError extends errorsOf(KAFKA_ERRORS) {}

/** The same failure with another remedy, for whoever knows where these brokers are set up. */
export function withRemedy(error: KafkaError, remedy: string): KafkaError {
  const what = error.message.replace(` ${KAFKA_ERRORS[error.code].remedy}`, '');
  return new KafkaError(error.code, what, { remedy, details: error.details, cause: error.cause });
}
