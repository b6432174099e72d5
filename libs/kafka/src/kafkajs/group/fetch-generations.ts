/** A fetch takes a few seconds at most; an older entry is of a broker that is gone. */
const FORGET_MS = 60_000;

/**
 * Tells batches of an earlier assignment from those of the present one. kafkajs can rejoin the group because of one
 * broker's answer while a fetch to another broker is under way; that fetch's batch then arrives with the old position,
 * and taking it would skip what the new assignment starts with. So nothing is taken until every broker's fetch has
 * been started since the last join.
 */
export class FetchGenerations {
  readonly #nowMs: () => number;
  readonly #started = new Map<string, { readonly generation: number; readonly atMs: number }>();
  #generation = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  joined(): void {
    this.#generation += 1;
  }

  /** All fetches have ended. */
  clear(): void {
    this.#started.clear();
  }

  fetchStarted(nodeId: string): void {
    this.#started.set(nodeId, { generation: this.#generation, atMs: this.#nowMs() });
  }

  isSettled(): boolean {
    const oldest = this.#nowMs() - FORGET_MS;
    for (const { generation, atMs } of this.#started.values()) {
      if (generation !== this.#generation && atMs > oldest) return false;
    }
    return true;
  }
}
