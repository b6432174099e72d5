import { backoffMs, type Clock } from '@genesys-kafka/resilience';
import type { SchemaCheck, SchemaProblem } from '@genesys-kafka/topics';
import { SchemaRegistryError } from './errors.ts';
import type { SchemaRegistry } from './schema-registry.ts';

interface SchemaIdsOptions {
  readonly registry: Pick<SchemaRegistry, 'schemaById'>;
  readonly clock: Clock;
  /** Told of a trouble that records wait out, and while it lasts again every 30 s. */
  readonly onFailure: (error: SchemaRegistryError) => void;
}

const BACKOFF = { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 250 };
const TELL_EVERY_MS = 30_000;
/** A replica of the registry may not know a new id for a moment. */
const UNKNOWN_TRIES = 3;
/** More than any registry of ours holds; a topic full of strange ids costs requests, not memory. */
const MAX_KEPT = 10_000;

/**
 * Which schema ids are JSON Schemas of this registry. A schema is immutable, so an answer is kept; while the registry
 * is away or answers oddly (a login page, a 401, a 404 of something before it), records with ids it has not told us yet
 * wait, and are never guessed or given up: only its own "schema not found" says that an id is unknown.
 */
export class SchemaIds implements SchemaCheck {
  readonly #options: SchemaIdsOptions;
  readonly #answers = new Map<number, Promise<SchemaProblem | undefined>>();
  /** Of those the ones that nothing is wrong with. */
  readonly #sound = new Set<number>();
  #waiting = 0;
  #trouble: SchemaRegistryError | undefined;
  #toldAtMs = 0;

  constructor(options: SchemaIdsOptions) {
    this.#options = options;
  }

  /** Why records wait for the registry; undefined while none does. */
  get notReady(): string | undefined {
    return this.#waiting > 0 ? `the schema registry does not tell a schema (${this.#trouble?.code ?? ''})` : undefined;
  }

  /** What is wrong with the id; undefined, at once where that is known, where nothing is. Rejects with the signal's reason. */
  check(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined> | undefined {
    return this.#sound.has(id) ? undefined : this.#find(id, signal);
  }

  /** Whether it is known by now that nothing is wrong with the id. */
  isSound(id: number): boolean {
    return this.#sound.has(id);
  }

  async #find(id: number, signal: AbortSignal): Promise<SchemaProblem | undefined> {
    let isWaiting = false;
    try {
      for (let attempt = 0, unknown = 1; ; attempt += 1) {
        signal.throwIfAborted();
        try {
          return await this.#ask(id);
        } catch (error) {
          if (!(error instanceof SchemaRegistryError)) throw error;
          const isUnknown = error.code === 'unknown-schema-id';
          if (isUnknown && unknown++ >= UNKNOWN_TRIES) return { cause: error.code, reason: error.message };
          // Until it has its answer, also while the registry is asked again. That an id is unknown is an answer.
          if (!isUnknown && !isWaiting) this.#waiting += 1;
          isWaiting ||= !isUnknown;
          this.#tell(error);
          await this.#options.clock.sleep(backoffMs(BACKOFF, attempt), signal);
        }
      }
    } finally {
      if (isWaiting) this.#waiting -= 1;
    }
  }

  #tell(error: SchemaRegistryError): void {
    const { clock, onFailure } = this.#options;
    const nowMs = clock.monotonicMs();
    if (error.code !== this.#trouble?.code || nowMs - this.#toldAtMs >= TELL_EVERY_MS) {
      this.#toldAtMs = nowMs;
      onFailure(error);
    }
    this.#trouble = error;
  }

  /** Asks once for all who want to know. Only what was found is kept: the schema may be registered yet. */
  async #ask(id: number): Promise<SchemaProblem | undefined> {
    const kept = this.#answers.get(id);
    if (kept) return kept;
    const answer = this.#options.registry.schemaById(id).then(({ type }) => {
      if (type !== 'JSON') return otherType(id, type);
      this.#sound.add(id);
      return undefined;
    });
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= MAX_KEPT) {
      this.#answers.delete(oldest);
      this.#sound.delete(oldest);
    }
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
