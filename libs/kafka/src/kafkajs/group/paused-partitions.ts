import type { Clock } from '@genesys-kafka/resilience';

/** Who has paused for longer is not expected back at any moment. */
const BRIEF_MS = 1000;

/**
 * Which partitions are not fetched now. A poll that leaves them out would be held by the broker while one of them is
 * resumed: where that may be at any moment, the wait is better spent here.
 */
export class PausedPartitions {
  readonly #sinceMs = new Map<string, number>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #resumed = Promise.withResolvers<undefined>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  paused(name: string): void {
    if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, this.#clock.monotonicMs());
  }

  resumed(name: string): void {
    if (!this.#sinceMs.delete(name)) return;
    this.#resumed.resolve(undefined);
    this.#resumed = Promise.withResolvers();
  }

  /** The next resume, where one is to be expected: a partition was paused a moment ago, and still is. */
  get soon(): Promise<undefined> | undefined {
    const after = this.#clock.monotonicMs() - BRIEF_MS;
    for (const sinceMs of this.#sinceMs.values()) if (sinceMs > after) return this.#resumed.promise;
    return undefined;
  }
}
