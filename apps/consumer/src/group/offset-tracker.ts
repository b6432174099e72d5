/**
 * Where a partition may be committed while its records finish in any order: at the lowest unfinished one.
 * Pure, without clock or I/O.
 */
export class OffsetTracker {
  /** Begun records from the lowest unfinished one on; true once finished. */
  readonly #records = new Map<bigint, boolean>();
  /** The same in offset order: a Map's first key is slow to find where many before it were deleted. */
  readonly #offsets: bigint[] = [];
  #covered: bigint | undefined;
  #unfinished = 0;

  /** Offsets must rise: a group delivers a partition in order. */
  begin(offset: bigint): void {
    if (this.#covered !== undefined && offset < this.#covered) {
      throw new Error(`offset ${offset} begun after ${this.#covered} was covered`);
    }
    this.#records.set(offset, false);
    this.#offsets.push(offset);
    this.#covered = offset + 1n;
    this.#unfinished += 1;
  }

  /** True when the position moved. */
  finish(offset: bigint): boolean {
    if (this.#records.get(offset) !== false) throw new Error(`offset ${offset} finished twice, or never begun`);
    this.#records.set(offset, true);
    this.#unfinished -= 1;
    if (offset !== this.#offsets[0]) return false;
    while (this.#offsets.length > 0 && this.#records.get(this.#offsets[0]) === true) {
      this.#records.delete(this.#offsets.shift()!);
    }
    return true;
  }

  /**
   * All offsets below `next` have been seen. A fetch ends past its last record where transaction markers or aborted
   * records follow; without them the lag of a finished topic would stay at 1 for ever.
   */
  cover(next: bigint): void {
    if (this.#covered === undefined || next > this.#covered) this.#covered = next;
  }

  /** The offset to commit: everything below it is finished. Undefined before the first record. */
  get position(): bigint | undefined {
    return this.#offsets[0] ?? this.#covered;
  }

  /** The next offset that a batch is expected to begin with. */
  get expected(): bigint | undefined {
    return this.#covered;
  }

  get unfinished(): number {
    return this.#unfinished;
  }
}
