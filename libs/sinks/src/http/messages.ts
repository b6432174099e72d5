import type { Delivery, DeliveryOutcome } from '@genesys-kafka/delivery';
import { sinkOptionInvalid } from '../errors.ts';
import { batchKey } from './body/batch-key.ts';
import { bodyFormat, type BodyFormat } from './body/body-format.ts';
import type { Message } from './client/http-client.ts';
import { PathTemplate } from './expressions/path-template.ts';
import { RecordExpressions } from './expressions/record-expressions.ts';
import { checkHeaderName, checkHeaders, type HttpSinkOptions, type HttpTarget } from './http-options.ts';

/** Makes requests of records, all but what a login adds. */
export interface Messages {
  /** A place at the target that is there without a record. */
  readonly fixedPath: string;
  /** Or, where a record does not say what its request needs, what becomes of it. */
  of(batch: readonly Delivery[]): Message | DeliveryOutcome;
}

/** Throws `sink-option-invalid` for settings that cannot be used, or not with each other. */
export function messagesOf(options: HttpSinkOptions, target: HttpTarget): Messages {
  const { name, method = 'POST', body = {}, expressions = { path: {}, headers: {} } } = options;
  const records = options.batch?.records ?? 1;
  const format = bodyFormat(name, records, body);
  const headers = checkHeaders(name, options.headers ?? {});
  for (const header of Object.keys(expressions.headers))
    checkHeaderName(name, `expressions.headers.${JSON.stringify(header)}`, header);
  const template = new PathTemplate(target.path);
  const own = new RecordExpressions(name, expressions, template);
  if (records > 1 && !own.isEmpty)
    throw sinkOptionInvalid(name, 'expressions', 'look at one record, and batch.records is more');
  const same = { method, path: target.path, headers };
  const fill = format ? batchMessage(format) : recordMessage;
  return {
    fixedPath: template.fixed,
    of: (batch) => {
      if (own.isEmpty) return fill(batch, same);
      const its = own.of(batch[0]!);
      if ('kind' in its) return its;
      return fill(batch, { method: its.method ?? method, path: its.path, headers: { ...headers, ...its.headers } });
    },
  };
}

type Frame = Omit<Message, 'body'>;

/** The record's own bytes, and what they are known by in the headers. */
function recordMessage(batch: readonly Delivery[], { method, path, headers }: Frame): Message {
  if (batch.length !== 1) throw new Error(`${batch.length} records in a request that holds one`);
  const { body, contentType, idempotencyKey, recordVersion, shapedHeaders } = batch[0]!;
  const ours = {
    'content-type': contentType,
    'content-length': String(body.length),
    'idempotency-key': idempotencyKey,
    'record-version': String(recordVersion),
  };
  const shaped = Object.entries(shapedHeaders ?? {}).map(([header, value]) => [header.toLowerCase(), value] as const);
  return { method, path, headers: { ...headers, ...Object.fromEntries(shaped), ...ours }, body };
}

function batchMessage(format: BodyFormat) {
  return (batch: readonly Delivery[], { method, path, headers }: Frame): Message => {
    const body = format.bodyOf(batch);
    const ours = {
      'content-type': format.contentType,
      'content-length': String(body.length),
      'idempotency-key': batchKey(batch.map(({ idempotencyKey }) => idempotencyKey)),
    };
    return { method, path, headers: { ...headers, ...ours }, body };
  };
}
