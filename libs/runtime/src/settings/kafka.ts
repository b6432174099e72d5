import { z } from 'zod';
import { count, duration, hostAndPort, secret, size, text } from './fields.ts';

const sasl = z.strictObject({
  mechanism: z
    .string()
    .transform((mechanism) => mechanism.toLowerCase())
    .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
    .meta({ env: 'KAFKA_SASL_MECHANISM', description: 'How to log in to the brokers.' }),
  username: text().meta({ env: 'KAFKA_SASL_USERNAME', description: 'User name at the brokers.' }),
  password: secret().meta({ env: 'KAFKA_SASL_PASSWORD', description: 'Password at the brokers.' }),
});

const transaction = z
  .strictObject({
    maxAge: duration(100)
      .prefault('5s')
      .meta({ description: 'A transaction is closed when it has been open this long.' }),
    maxBytes: size().prefault('32MiB').meta({ description: 'A transaction is closed when it holds this much.' }),
  })
  .transform(({ maxAge, maxBytes }) => ({ maxAgeMs: maxAge, maxBytes }));

export const kafkaSection = z
  .strictObject({
    brokers: z.array(hostAndPort()).max(1000).prefault([]).meta({
      kind: 'list of host:port',
      env: 'KAFKA_BROKERS',
      description: 'Brokers to ask first; the others are learnt from them.',
    }),
    topicPrefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]*$/, {
        error: 'has other characters than Kafka allows; use letters, digits, dot, dash, underscore',
      })
      .max(100)
      .prefault('genesys.')
      .meta({ kind: 'text', env: 'KAFKA_TOPIC_PREFIX', description: 'Starts each topic, group and transactional id.' }),
    client: z.enum(['kafkajs', 'platformatic']).prefault('kafkajs').meta({
      env: 'KAFKA_CLIENT',
      description: 'The client library behind the port.',
    }),
    ssl: z
      .boolean()
      .prefault(false)
      .meta({ env: 'KAFKA_SSL', description: 'TLS to the brokers, certificates verified.' }),
    sasl: sasl.optional(),
    compression: z.enum(['zstd', 'gzip', 'none']).prefault('zstd').meta({
      description: 'Of batches. gzip for readers without zstd.',
    }),
    requestTimeout: duration(100).prefault('5s').meta({ description: 'Longest wait for an answer of a broker.' }),
    partitions: count(1, 1000).prefault(6).meta({ description: 'Partitions of data topics when they are created.' }),
    transaction: transaction.prefault({}),
  })
  .transform(({ requestTimeout, ...section }) => ({ ...section, requestTimeoutMs: requestTimeout }));
