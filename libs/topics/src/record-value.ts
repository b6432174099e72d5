import { parseJson } from '@genesys-kafka/conversation/exact-json';
import { isJsonObject } from '@genesys-kafka/conversation/is-json';
import { costsTooMuch } from '@genesys-kafka/conversation/value-cost';
import { TopicsError } from './errors.ts';
import { unframe } from './framing.ts';
import type { DeadLetter } from './headers/dead-letter-headers.ts';

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

export interface SchemaProblem {
  readonly cause: string;
  readonly reason: string;
}

/** Asked of every schema id that is met; waits while the registry is away. */
export interface SchemaCheck {
  /** What is wrong with the id; undefined, at once where that is known, where nothing is. Rejects with the signal's reason. */
  check(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined> | undefined;
  /** Whether it is known by now that nothing is wrong with the id. */
  isSound(id: number): boolean;
}

/** A record as it lies in a message's value. */
export interface RecordValue {
  readonly kind: 'record';
  /** The record's own bytes: a view of the value, and what is in it has not been looked at. */
  readonly body: Buffer;
  readonly contentType: 'application/json';
}

/** Cannot be read, by anybody, ever: original bytes to the dead letters, and on. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly cause: string;
  readonly reason: string;
}

/**
 * The one place where a message's value becomes a record again. Without a `SchemaCheck` (no registry is configured) any
 * schema id will do.
 */
export class RecordReader {
  readonly #schemas: SchemaCheck | undefined;

  constructor(schemas: SchemaCheck | undefined) {
    this.#schemas = schemas;
  }

  /** Takes the frame off and asks what the schema id is; waits where it is not known yet, or the registry is away. */
  open(value: Buffer | null, signal: AbortSignal): RecordValue | Unreadable | Promise<RecordValue | Unreadable> {
    const framed = partsOf(value);
    if ('kind' in framed) return framed;
    const record = { kind: 'record', body: framed.body, contentType: 'application/json' } as const;
    const checking = this.#schemas?.check(framed.schemaId, signal);
    return checking ? checking.then((problem) => (problem ? { kind: 'unreadable', ...problem } : record)) : record;
  }

  /** Whether it is plainly a record. Where it is not, or that is not known yet, `open` tells what it is. */
  isPlain(value: Buffer): boolean {
    const framed = partsOf(value);
    return !('kind' in framed) && (this.#schemas?.isSound(framed.schemaId) ?? true) && isJsonObject(framed.body);
  }
}

const TOO_COSTLY: Unreadable = {
  kind: 'unreadable',
  cause: 'record-too-costly',
  reason: 'Its values would not fit into the memory, or their reading not into the time, that one record may take.',
};

/**
 * Parses for the rules; what is delivered stays the bytes. The value takes several times the memory of its text, so
 * nothing may hold it over an `await`: every record in hand would keep one.
 */
export function parseRecord({ body }: RecordValue): { readonly kind: 'json'; readonly parsed: unknown } | Unreadable {
  if (costsTooMuch(body)) return TOO_COSTLY;
  try {
    return { kind: 'json', parsed: parseJson(STRICT_UTF8.decode(body)) };
  } catch (error) {
    if (error instanceof RangeError) return TOO_COSTLY;
    // The parser's own words would quote the record.
    const reason = `The ${body.length} bytes after the frame are not JSON in UTF-8. Was the topic written in another format?`;
    return { kind: 'unreadable', cause: 'json-invalid', reason };
  }
}

/** What `parseRecord` would find unreadable. Makes no value of what is plainly JSON. */
export function unreadableIn(record: RecordValue): Unreadable | undefined {
  if (isJsonObject(record.body)) return undefined;
  const read = parseRecord(record);
  return read.kind === 'unreadable' ? read : undefined;
}

/** Whether there is a frame to take off again, as a dead letter says of its value. */
export function framingOf(value: Buffer | null): DeadLetter['framing'] {
  return 'kind' in partsOf(value) ? 'none' : 'confluent';
}

/** The record's bytes in a value that is said to be framed or not: a view of it, whole where no frame is found. */
export function bodyOf(value: Buffer, framing: DeadLetter['framing']): Buffer {
  const parts = framing === 'confluent' ? partsOf(value) : { body: value };
  return 'body' in parts ? parts.body : value;
}

function partsOf(value: Buffer | null): ReturnType<typeof unframe> | Unreadable {
  try {
    return unframe(value);
  } catch (error) {
    if (error instanceof TopicsError) return { kind: 'unreadable', cause: error.code, reason: error.message };
    throw error;
  }
}
