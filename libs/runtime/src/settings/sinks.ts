import { z } from 'zod';
import { count, duration, hostAndPort, httpUrl, identifier, percentage, secret, size, text } from './fields.ts';

const rate = z
  .strictObject({
    max: count(1, 1_000_000).meta({ description: 'Deliveries started…' }),
    per: duration(10).prefault('1s').meta({ description: '…in any span of this length.' }),
  })
  .transform(({ max, per }) => ({ max, perMs: per }));

const breaker = z
  .strictObject({
    errors: percentage().prefault('50%').meta({ description: 'Share of failures that opens the circuit…' }),
    over: count(1, 10_000).prefault(20).meta({ description: '…among this many latest deliveries.' }),
    cooldown: duration(100).prefault('30s').meta({ description: 'How long it stays open before a probe.' }),
  })
  .transform(({ errors, over, cooldown }) => ({ errorsRatio: errors, over, cooldownMs: cooldown }));

const batch = z
  .strictObject({
    records: count(1, 1_000_000).prefault(5000).meta({ description: 'An object is closed at this many records…' }),
    bytes: size().prefault('16MiB').meta({ description: '…or at this size…' }),
    age: duration(100).prefault('60s').meta({ description: '…or when it has been open this long.' }),
  })
  .transform(({ records, bytes, age }) => ({ maxRecords: records, maxBytes: bytes, maxAgeMs: age }));

/** What each sink has, whatever its type: shared by all routes that name it. */
const gate = {
  concurrency: count(1, 1000).prefault(16).meta({ description: 'Deliveries in flight at a time.' }),
  rate: rate.optional(),
  breaker: breaker.prefault({}),
};
/** And what those have that go over the network: a write to a disk cannot be given up on. */
const shared = {
  ...gate,
  timeout: duration(100).prefault('30s').meta({ description: 'Longest wait for one delivery.' }),
};

type Shared = { timeout: number };
const inMs = <T extends Shared>({ timeout, ...rest }: T) => ({ ...rest, timeoutMs: timeout });

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, { error: 'is not a header name; use letters, digits and dashes' });
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'has characters that a header cannot carry; leave line breaks out' })
  .meta({ secret: true });

const sinkType = <const T extends string>(type: T) =>
  z.literal(type).meta({ description: 'What kind of place it is.' });

/** Where S3 objects go: also the store of dead letters. */
export const bucket = {
  bucket: text(255).meta({ description: 'Bucket.' }),
  prefix: z
    .string()
    .max(900)
    .prefault('')
    .meta({ kind: 'text', description: 'Starts each object name; {yyyy} {MM} {dd} are replaced.' }),
  endpoint: httpUrl('base').optional().meta({ description: 'Where it is not AWS.' }),
  region: text(100).optional().meta({ description: "The store's region." }),
  accessKeyId: secret().optional().meta({ description: 'Without it, the usual AWS environment.' }),
  secretAccessKey: secret().optional().meta({ description: 'Without it, the usual AWS environment.' }),
};

const http = z.strictObject({
  type: sinkType('http'),
  url: httpUrl('any').meta({ description: 'One POST a record goes here.' }),
  headers: z.record(headerName, headerValue).prefault({}).meta({
    kind: 'object',
    description:
      'Sent along, such as authorization. `${NAME}` takes an environment variable, or the file in `NAME_FILE`.',
  }),
  ...shared,
});
const file = z.strictObject({
  type: sinkType('file'),
  path: text().meta({ description: 'File that records are appended to, one a line.' }),
  ...gate,
});
const s3 = z.strictObject({ type: sinkType('s3'), ...bucket, batch: batch.prefault({}), ...shared });
const postgres = z.strictObject({
  type: sinkType('postgres'),
  url: secret().meta({ description: 'Connection string.' }),
  table: text(200).prefault('conversations').meta({ description: 'Table that records are upserted into.' }),
  batch: batch.prefault({}),
  ...shared,
});
const kafka = z.strictObject({
  type: sinkType('kafka'),
  topic: identifier(249).meta({ description: 'Target topic.' }),
  brokers: z
    .array(hostAndPort())
    .optional()
    .meta({ kind: 'list of host:port', description: 'Target cluster, where it is another one.' }),
  ...shared,
});

export const sinksSection = z
  .record(
    identifier(100),
    z.discriminatedUnion('type', [
      http.transform(inMs),
      file,
      s3.transform(inMs),
      postgres.transform(inMs),
      kafka.transform(inMs),
    ]),
  )
  .meta({ kind: 'object', description: 'The places records are delivered to, by name.' });
