import { backoffMs, isRetryable, type Clock } from '@genesys-kafka/resilience';
import type { SchemaCheck, SchemaProblem } from '@genesys-kafka/topics';
import { SchemaRegistryError } from './errors.ts';
import type { SchemaRegistry } from './schema-registry.ts';

export interface SchemaIdsOptions {
  readonly registry: Pick<SchemaRegistry, 'schemaById'>;
  readonly clock: Clock;
  readonly onFailure: (error: unknown, waitMs: number) => void;
}

const backoff = { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 250 };
/** A replica of the registry may not know a new id for a moment. */
const unknownTries = 3;

/**
 * Which schema ids are JSON Schemas of this registry. A schema is immutable, so an answer is kept; while the registry is away, records
 * with ids it has not told us yet wait, and are never guessed or given up.
 */
export class SchemaIds implements SchemaCheck {
  readonly #options: SchemaIdsOptions;
  readonly #known = new Map<number, SchemaProblem | undefined>();
  readonly #asking = new Map<number, Promise<SchemaProblem | undefined>>();

  constructor(options: SchemaIdsOptions) {
    this.#options = options;
  }

  /** What is wrong with the id; undefined where nothing is. Rejects with the signal's reason. */
  async check(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined> {
    if (this.#known.has(id)) return this.#known.get(id);
    for (let attempt = 0, unknown = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.#ask(id);
      } catch (error) {
        const isUnknown = error instanceof SchemaRegistryError && error.code === 'unknown-schema-id';
        // Not kept: the schema may be registered yet, and later records with its id are sound.
        if (isUnknown && unknown++ >= unknownTries) return { cause: error.code, reason: error.message };
        if (!isUnknown && !isRetryable(error)) throw error;
        const waitMs = backoffMs(backoff, attempt);
        this.#options.onFailure(error, waitMs);
        await this.#options.clock.sleep(waitMs, signal);
      }
    }
  }

  async #ask(id: number): Promise<SchemaProblem | undefined> {
    const asked = this.#asking.get(id);
    if (asked) return asked;
    const answer = this.#options.registry
      .schemaById(id)
      .then(({ type }) => this.#keep(id, type === 'JSON' ? undefined : otherType(id, type)))
      .finally(() => this.#asking.delete(id));
    this.#asking.set(id, answer);
    return answer;
  }

  #keep(id: number, problem: SchemaProblem | undefined): SchemaProblem | undefined {
    this.#known.set(id, problem);
    return problem;
  }
}

function otherType(id: number, type: string): SchemaProblem {
  return {
    cause: 'schema-type-unsupported',
    reason: `Schema ${id} is ${type}, and this version reads JSON Schema. Was the topic written in another format?`,
  };
}
