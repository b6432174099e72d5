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

export type Opened =
  | { readonly kind: 'record'; readonly schemaId: number; readonly body: Buffer; readonly parsed: unknown }
  /** Cannot be read, by anybody, ever: original bytes to the dead letters, and on. */
  | { readonly kind: 'poison'; readonly cause: string; readonly reason: string };

/** Takes the frame off and parses for the rules; what is delivered stays the bytes in `body`, a view of `value`. */
function open(value: Buffer | null): Opened {
  let framed: ReturnType<typeof unframe>;
  try {
    framed = unframe(value);
  } catch (error) {
    if (error instanceof FramingError) return { kind: 'poison', cause: error.code, reason: error.message };
    throw error;
  }
  const { schemaId, body } = framed;
  try {
    return { kind: 'record', schemaId, body, parsed: JSON.parse(strictUtf8.decode(body)) };
  } catch {
    // The parser's own words would quote the record.
    const reason = `The ${body.length} bytes after the frame are not JSON in UTF-8. Was the topic written in another format?`;
    return { kind: 'poison', cause: 'json-invalid', reason };
  }
}

/** Opens and asks what the schema id is; waits while the registry is away. */
export async function openChecked(
  value: Buffer | null,
  schemas: SchemaIds | undefined,
  signal: AbortSignal,
): Promise<Opened> {
  const opened = open(value);
  if (opened.kind === 'poison' || schemas === undefined) return opened;
  const problem = await schemas.check(opened.schemaId, signal);
  return problem === undefined ? opened : { kind: 'poison', ...problem };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
