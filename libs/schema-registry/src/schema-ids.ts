import { backoffMs, isRetryable, type Clock } from '@genesys-kafka/resilience';
import type { SchemaCheck, SchemaProblem } from '@genesys-kafka/topics';
import { SchemaRegistryError } from './errors.ts';
import type { SchemaRegistry } from './schema-registry.ts';

interface SchemaIdsOptions {
  readonly registry: Pick<SchemaRegistry, 'schemaById'>;
  readonly clock: Clock;
  readonly onFailure: (error: unknown, waitMs: number) => void;
}

const BACKOFF = { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 250 };
/** A replica of the registry may not know a new id for a moment. */
const UNKNOWN_TRIES = 3;
/** More than any registry of ours holds; a topic full of strange ids costs requests, not memory. */
const MAX_KEPT = 10_000;

/**
 * Which schema ids are JSON Schemas of this registry. A schema is immutable, so an answer is kept; while the registry
 * is away, records with ids it has not told us yet wait, and are never guessed or given up.
 */
export class SchemaIds implements SchemaCheck {
  readonly #options: SchemaIdsOptions;
  readonly #answers = new Map<number, Promise<SchemaProblem | undefined>>();

  constructor(options: SchemaIdsOptions) {
    this.#options = options;
  }

  /** What is wrong with the id; undefined where nothing is. Rejects with the signal's reason. */
  async check(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined> {
    for (let attempt = 0, unknown = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.#ask(id);
      } catch (error) {
        const isUnknown = error instanceof SchemaRegistryError && error.code === 'unknown-schema-id';
        if (isUnknown && unknown++ >= UNKNOWN_TRIES) return { cause: error.code, reason: error.message };
        if (!isUnknown && !isRetryable(error)) throw error;
        const waitMs = backoffMs(BACKOFF, attempt);
        this.#options.onFailure(error, waitMs);
        await this.#options.clock.sleep(waitMs, signal);
      }
    }
  }

  /** Asks once for all who want to know. Only what was found is kept: the schema may be registered yet. */
  async #ask(id: number): Promise<SchemaProblem | undefined> {
    const kept = this.#answers.get(id);
    if (kept) return kept;
    const answer = this.#options.registry
      .schemaById(id)
      .then(({ type }) => (type === 'JSON' ? undefined : otherType(id, type)));
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= MAX_KEPT) this.#answers.delete(oldest);
    this.#answers.set(id, answer);
    answer.catch(() => this.#answers.delete(id));
    return answer;
  }
}

function otherType(id: number, type: string): SchemaProblem {
  return {
    cause: 'schema-type-unsupported',
    reason: `Schema ${id} is ${type}, and this version reads JSON Schema. Was the topic written in another format?`,
  };
}
