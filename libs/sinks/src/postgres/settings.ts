import { batchSection, GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { count, duration, inMs, secret, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';
import { OWN_COLUMNS } from './own-columns.ts';
import { urlFault } from './postgres-url.ts';

/** Postgres cuts longer names off. */
const NAME = /^[A-Za-z_][A-Za-z0-9_$-]{0,62}$/;
const NAME_FAULT = 'is not a name; use letters, digits, _, $ and -, at most 63, and no digit at the front';

const TABLE = z
  .string()
  .refine((value) => value.split('.').length <= 2 && value.split('.').every((part) => NAME.test(part)), {
    error: 'is not a table; write its name, or schema.name, of letters, digits, _, $ and -',
  })
  .meta({ kind: 'name', description: 'Table, or schema.table, as it is spelled; made where it is missing.' });

const URL_TEXT = text()
  .superRefine((value, context) => {
    const message = urlFault(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({ kind: 'URL', description: 'Such as postgres://user@db.example/app; a password in it is taken too.' });

const COLUMNS = z
  .record(
    z
      .string()
      .regex(NAME, { error: NAME_FAULT })
      .refine((name) => !(OWN_COLUMNS as readonly string[]).includes(name), {
        error: 'is a column that the sink fills itself; choose another name',
      }),
    z.strictObject({
      type: text(200).meta({ description: 'Its type in SQL, such as text or bigint.' }),
      as: text().meta({
        description: "What Postgres fills it with: an SQL expression over the sink's columns, such as record->>'x'.",
      }),
    }),
  )
  .prefault({})
  .meta({ kind: 'object', description: 'Generated columns besides the own ones, by name.' });

const TLS = z
  .strictObject({
    mode: z.enum(['verify-full', 'disable']).optional().meta({
      description: 'verify-full by default, except for a server on this machine.',
    }),
    certFile: text().optional().meta({ description: 'PEM file of a certificate to log in with…' }),
    keyFile: text().optional().meta({ description: '…and of its key.' }),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'has one of certFile and keyFile; set both, or none of them',
  })
  .prefault({});

/** A sink of type `postgres`. */
export const POSTGRES_SINK = z
  .strictObject({
    type: sinkType('postgres'),
    url: URL_TEXT,
    password: secret().optional().meta({ description: 'Of the user in the URL.' }),
    table: TABLE,
    recordType: z.enum(['jsonb', 'json', 'text', 'bytea']).prefault('jsonb').meta({
      description: 'Type of the column `record`. All but jsonb keep the bytes of the record as they are.',
    }),
    columns: COLUMNS,
    tls: TLS,
    ...GATE_KEYS,
    concurrency: count(1, 1000).prefault(4).meta({ description: 'Connections, and statements at a time.' }),
    // No longer: a partition hands over what may be in hand (consumer.inFlightBytes), and where that fills no batch all wait.
    batch: batchSection({ records: 500, bytes: '8MiB', age: '50ms' }),
    timeout: duration(100)
      .prefault('30s')
      .meta({ description: 'Longest wait for one statement; it is cancelled then.' }),
  })
  .transform(inMs('timeout'));
