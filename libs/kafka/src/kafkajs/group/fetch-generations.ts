/**
 * Tells batches of an earlier assignment from those of the present one. kafkajs can rejoin the group because of one
 * broker's answer while a fetch to another broker is under way; that fetch's batch then arrives with the old position,
 * and taking it would skip what the new assignment starts with. So a batch goes with the generation that its fetch was
 * started in.
 */
export class FetchGenerations {
  readonly #started = new Map<string, number>();
  #current = 0;

  joined(): void {
    this.#current += 1;
  }

  /** A broker is asked for one fetch after the other. */
  fetchStarted(nodeId: string): void {
    this.#started.set(nodeId, this.#current);
  }

  /** Of the fetch that this broker was asked for last. */
  of(nodeId: string): number | undefined {
    return this.#started.get(nodeId);
  }

  isCurrent(generation: number | undefined): boolean {
    return generation === this.#current;
  }
}
