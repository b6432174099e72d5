import { batchSection, GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { duration, httpUrl, identifier, inMs, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';
import { HEADER_NAME, HEADER_TEXT } from './header-texts.ts';
import { METHODS } from './methods.ts';
import { AUTH, CLIENT_TLS, SIGNATURE } from './login/settings.ts';

const HEADER_VALUE = z
  .string()
  .regex(HEADER_TEXT, { error: 'has characters that a header cannot carry; leave line breaks out' })
  .meta({ secret: true });

const BODY = z
  .strictObject({
    format: z.enum(['record', 'array', 'ndjson']).optional().meta({
      description:
        'What a request holds: one record, a JSON array, or lines. Without it, record; or array for a batch.',
    }),
    item: text().optional().meta({
      description:
        'A record in an array or on its lines. Without it, an object of idempotencyKey, recordVersion, record.',
    }),
    envelope: text().optional().meta({ description: 'What stands around an array, with `{{items}}` in its place.' }),
    contentType: text(100).optional().meta({
      description: 'Instead of application/json for an array, application/x-ndjson for lines.',
    }),
  })
  .prefault({});

const ANSWERS = z
  .strictObject({
    items: z.string().max(200).meta({
      kind: 'JSON pointer',
      description: 'Where a 2xx lists what became of each record; empty where the body is the list.',
    }),
    status: z
      .string()
      .max(200)
      .prefault('/status')
      .meta({ kind: 'JSON pointer', description: 'The status in an item.' }),
    key: z.string().max(200).optional().meta({
      kind: 'JSON pointer',
      description: 'The idempotency key in an item. Without it, items stand in the order of the records.',
    }),
  })
  .optional();

const EXPRESSIONS = z
  .strictObject({
    method: text(20_000).optional().meta({ description: 'CEL that gives POST, PUT or PATCH, instead of method.' }),
    path: z.record(identifier(50), text(20_000)).prefault({}).meta({
      kind: 'object',
      description: 'CEL for each `{name}` in the path or query of the url.',
    }),
    headers: z.record(HEADER_NAME, text(20_000)).prefault({}).meta({
      kind: 'object',
      description: 'CEL for each header that a record decides.',
    }),
  })
  .prefault({});

/** A sink of type `http`. */
export const HTTP_SINK = z
  .strictObject({
    type: sinkType('http'),
    url: httpUrl('any').meta({ description: 'Where records go. Its path may hold `{name}`: see expressions.path.' }),
    method: z.enum(METHODS).prefault('POST').meta({ description: 'Of each request.' }),
    headers: z.record(HEADER_NAME, HEADER_VALUE).prefault({}).meta({
      kind: 'object',
      secret: true,
      description:
        'Sent along, such as x-api-key. `${NAME}` takes an environment variable, or the file in `NAME_FILE`.',
    }),
    batch: batchSection({ records: 1, bytes: '1MiB', age: '0ms' }),
    body: BODY,
    answers: ANSWERS,
    pages: z.enum(['refused', 'taken']).prefault('refused').meta({
      description: 'What a 2xx with a page of HTML means: a login or a site in place of the target, or records taken.',
    }),
    auth: AUTH,
    signature: SIGNATURE,
    tls: CLIENT_TLS,
    expressions: EXPRESSIONS,
    ...GATE_KEYS,
    timeout: duration(100).prefault('30s').meta({ description: 'Longest wait for one delivery.' }),
  })
  .transform(inMs('timeout'));
