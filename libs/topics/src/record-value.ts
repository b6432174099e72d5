import { parseJson } from '@genesys-kafka/conversation';
import { TopicsError } from './errors.ts';
import { unframe } from './framing.ts';

export interface SchemaProblem {
  readonly cause: string;
  readonly reason: string;
}

/** Asked of every schema id that is met; waits while the registry is away. */
export interface SchemaCheck {
  /** What is wrong with the id; undefined where nothing is. Rejects with the signal's reason. */
  check(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined>;
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
  schemas: SchemaCheck | undefined,
  signal: AbortSignal,
): Promise<Opened> {
  let framed: ReturnType<typeof unframe>;
  try {
    framed = unframe(value);
  } catch (error) {
    if (error instanceof TopicsError) return { kind: 'poison', cause: error.code, reason: error.message };
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
