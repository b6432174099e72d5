import { batchSection, GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { duration, hostAndPort, inMs, secret, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';

const SASL = z.strictObject({
  mechanism: z
    .string()
    .transform((mechanism) => mechanism.toLowerCase())
    .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
    .meta({ description: 'How to log in to the brokers.' }),
  username: text().meta({ description: 'User name at the brokers.' }),
  password: secret().meta({ description: 'Password at the brokers.' }),
});

const TLS = z.strictObject({
  certFile: text().optional().meta({
    description: 'PEM file of the certificate by which this program logs in, where these brokers ask for one.',
  }),
  keyFile: text().optional().meta({ description: 'PEM file of its key.' }),
  passphrase: secret().optional().meta({ description: 'Opens the key.' }),
});

/** A sink of type `kafka`: exactly once. */
export const KAFKA_SINK = z
  .strictObject({
    type: sinkType('kafka'),
    topic: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/, { error: 'is not a name that a topic can have' })
      .meta({ kind: 'text', description: 'Topic that records are written to; it has to be there.' }),
    brokers: z.array(hostAndPort()).min(1).max(1000).optional().meta({
      kind: 'list of host:port',
      description: 'Brokers of another cluster. Without them, the cluster of `kafka`, with its login.',
    }),
    ssl: z.boolean().prefault(false).meta({ description: 'TLS to these brokers, certificates verified.' }),
    tls: TLS.optional(),
    sasl: SASL.optional(),
    allowInsecureLogin: z.boolean().prefault(false).meta({
      description: 'Lets a login go to these brokers without TLS where they are on other machines than this one.',
    }),
    compression: z.enum(['zstd', 'gzip', 'none']).prefault('zstd').meta({
      description: 'Of batches. gzip for readers without zstd.',
    }),
    requestTimeout: duration(100).prefault('5s').meta({ description: 'Longest wait for an answer of a broker.' }),
    frame: z.enum(['keep', 'strip']).prefault('keep').meta({
      description:
        "Whether a value keeps its first five bytes, which name the schema by an id of the source's registry.",
    }),
    batch: batchSection({ records: 2000, bytes: '4MiB', age: '200ms' }),
    ...GATE_KEYS,
  })
  .superRefine(({ brokers, ssl, tls, sasl }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const there = Object.entries({ ssl: ssl || undefined, tls, sasl }).find(([, value]) => value !== undefined);
    if (brokers === undefined && there)
      refuse(there[0], 'is for another cluster; name its brokers, or leave ssl, tls and sasl to the section kafka');
    else if (tls !== undefined && !ssl) refuse('tls', 'is for connections over TLS; set ssl: true');
  })
  .transform(inMs('requestTimeout'));
