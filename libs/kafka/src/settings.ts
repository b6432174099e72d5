import { isLoopback } from '@genesys-kafka/http/settings';
import {
  duration,
  hostAndPort,
  listOf,
  secret,
  text,
  treeOf,
  type CrossCheck,
  type Given,
} from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const SASL = z.strictObject({
  mechanism: z
    .string()
    .transform((mechanism) => mechanism.toLowerCase())
    .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
    .meta({ env: 'KAFKA_SASL_MECHANISM', description: 'How to log in to the brokers.' }),
  username: text().meta({ env: 'KAFKA_SASL_USERNAME', description: 'User name at the brokers.' }),
  password: secret().meta({ env: 'KAFKA_SASL_PASSWORD', description: 'Password at the brokers.' }),
});

const TLS = z.strictObject({
  certFile: text().optional().meta({
    env: 'KAFKA_CERT_FILE',
    description: 'PEM file of the certificate by which this program logs in, where the brokers ask for one.',
  }),
  keyFile: text().optional().meta({ env: 'KAFKA_KEY_FILE', description: 'PEM file of its key.' }),
  passphrase: secret().optional().meta({ env: 'KAFKA_KEY_PASSPHRASE', description: 'Opens the key.' }),
});

/** Keys of `kafka`: how the cluster is reached. */
export const KAFKA_KEYS = {
  brokers: z.array(hostAndPort()).max(1000).prefault([]).meta({
    kind: 'list of host:port',
    env: 'KAFKA_BROKERS',
    description: 'Brokers to ask first; the others are learnt from them.',
  }),
  ssl: z
    .boolean()
    .prefault(false)
    .meta({ env: 'KAFKA_SSL', description: 'TLS to the brokers, certificates verified.' }),
  tls: TLS.optional(),
  sasl: SASL.optional(),
  allowInsecureLogin: z.boolean().prefault(false).meta({
    env: 'ALLOW_INSECURE_KAFKA',
    description: 'Lets a login go to other machines than this one without TLS.',
  }),
  compression: z.enum(['zstd', 'gzip', 'none']).prefault('zstd').meta({
    description: 'Of batches. gzip for readers without zstd.',
  }),
  requestTimeout: duration(100).prefault('5s').meta({ description: 'Longest wait for an answer of a broker.' }),
};

/** What holds where a client is made without settings. */
export const KAFKA_DEFAULTS = z.strictObject(KAFKA_KEYS).parse({});

export const KAFKA_CHECKS: readonly CrossCheck[] = [loginsAreEncrypted, certificatesGoOverTls];

/** Plain or SCRAM: without TLS, who listens on the way has the password, or what to guess it from. */
function loginsAreEncrypted({ tree }: Given) {
  const { brokers, ssl, sasl, allowInsecureLogin } = treeOf(tree.kafka);
  if (sasl === undefined || ssl === true || allowInsecureLogin === true) return [];
  const isThere = listOf(brokers).some((broker) => typeof broker === 'string' && !isLoopback(hostOf(broker)));
  if (!isThere) return [];
  const problem = 'would go to another machine without TLS, and the password could be read on the way';
  const fix = 'set KAFKA_SSL=true, or ALLOW_INSECURE_KAFKA=true where the network is trusted';
  return [{ path: 'kafka.sasl', problem, fix }];
}

/** Without TLS there is nobody to show it to, and the login would be somebody else's. */
function certificatesGoOverTls({ tree }: Given) {
  const { ssl, tls } = treeOf(tree.kafka);
  if (tls === undefined || ssl === true) return [];
  return [{ path: 'kafka.tls', problem: 'is for connections over TLS', fix: 'set KAFKA_SSL=true' }];
}

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':'));
}
