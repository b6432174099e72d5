import { parseJson } from '@genesys-kafka/conversation';
import { FramingError, unframe, type ConsumedRecord } from '@genesys-kafka/kafka';
import { HeaderError, parseRetryHeaders, type TopicPosition } from '@genesys-kafka/routing';
import type { SchemaIds } from './schema-ids.ts';

/** How far one record has come along one route. */
export interface Visit {
  /** The delivery that comes next, from 1. */
  readonly attempt: number;
  /** Milliseconds since the epoch; 0 for a record fresh from the main topic. */
  readonly notBeforeMs: number;
  /** Where it lay in the main topic. */
  readonly origin: TopicPosition;
  readonly recordVersion: bigint;
  /** A record on a retry topic was picked by its route before: its rule is not asked again. */
  readonly picked: boolean;
}

/** Whom a retry record belongs to. */
export type Owner = { readonly route: string; readonly group: string } | 'nobody';

/** Reads a retry record's owner; `nobody` where its headers are missing or damaged. */
export function ownerOf(record: ConsumedRecord): Owner {
  try {
    const { route, group } = parseRetryHeaders(record.headers);
    return { route, group };
  } catch (error) {
    if (error instanceof HeaderError) return 'nobody';
    throw error;
  }
}

export function freshVisit({ topic, partition, offset }: ConsumedRecord): Visit {
  return { attempt: 1, notBeforeMs: 0, origin: { topic, partition, offset }, recordVersion: offset, picked: false };
}

/** Throws the `HeaderError` of a retry record that `ownerOf` calls nobody's. */
export function retryVisit(record: ConsumedRecord): Visit {
  const { attempt, notBeforeMs, origin, recordVersion } = parseRetryHeaders(record.headers);
  return { attempt, notBeforeMs, origin, recordVersion, picked: true };
}

/** Cannot be read, by anybody, ever: original bytes to the dead letters, and on. */
export interface Poison {
  readonly kind: 'poison';
  readonly cause: string;
  readonly reason: string;
}

export type Opened = { readonly kind: 'record'; readonly body: Buffer } | Poison;

/**
 * Takes the frame off and asks what the schema id is; waits while the registry is away. `body` is a view of `value`,
 * and what is in it has not been looked at.
 */
export async function openChecked(
  value: Buffer | null,
  schemas: SchemaIds | undefined,
  signal: AbortSignal,
): Promise<Opened> {
  let framed: ReturnType<typeof unframe>;
  try {
    framed = unframe(value);
  } catch (error) {
    if (error instanceof FramingError) return { kind: 'poison', cause: error.code, reason: error.message };
    throw error;
  }
  const { schemaId, body } = framed;
  const problem = await schemas?.check(schemaId, signal);
  return problem === undefined ? { kind: 'record', body } : { kind: 'poison', ...problem };
}

/**
 * Parses for the rules; what is delivered stays the bytes. The value takes several times the memory of its text, so
 * nothing may hold it over an `await`: every record in hand would keep one.
 */
export function parseBody(body: Buffer): { readonly kind: 'json'; readonly parsed: unknown } | Poison {
  try {
    return { kind: 'json', parsed: parseJson(strictUtf8.decode(body)) };
  } catch {
    // The parser's own words would quote the record.
    const reason = `The ${body.length} bytes after the frame are not JSON in UTF-8. Was the topic written in another format?`;
    return { kind: 'poison', cause: 'json-invalid', reason };
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
