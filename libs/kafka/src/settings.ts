import { duration, hostAndPort, secret, text } from '@genesys-kafka/runtime/settings';
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
  sasl: SASL.optional(),
  compression: z.enum(['zstd', 'gzip', 'none']).prefault('zstd').meta({
    description: 'Of batches. gzip for readers without zstd.',
  }),
  requestTimeout: duration(100).prefault('5s').meta({ description: 'Longest wait for an answer of a broker.' }),
};

/** What holds where a client is made without settings. */
export const KAFKA_DEFAULTS = z.strictObject(KAFKA_KEYS).parse({});
