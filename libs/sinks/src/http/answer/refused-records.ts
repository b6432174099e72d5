/** So many are remembered; the oldest are forgotten first. */
const MOST = 10_000;

/**
 * Whether a request was refused for us, and the target's own state, or for one of its records. A firewall before a target
 * refuses a record for what is in it, or for its length, with the very 403 by which a target refuses our login; and a
 * target that stumbles over a record answers 500, as one that is broken. It is the record where it is refused again, and
 * another request was let in that began after it was refused before.
 */
export class RefusedRecords {
  /** Requests begun. */
  #begun = 0;
  /** Of those whose records were looked at, the one that began last. */
  #lastLetIn = 0;
  /** How many had begun when a record was refused first, by its key. */
  readonly #refused = new Map<string, number>();

  /** A request begins; its number. */
  begin(): number {
    return (this.#begun += 1);
  }

  letIn(request: number, keys: readonly string[]): void {
    this.#lastLetIn = Math.max(this.#lastLetIn, request);
    if (this.#refused.size > 0) for (const key of keys) this.#refused.delete(key);
  }

  /** Remembers a request that was refused; true where one of its records is known to be at fault. */
  refused(keys: readonly string[]): boolean {
    const isKnown = keys.some((key) => (this.#refused.get(key) ?? Infinity) < this.#lastLetIn);
    for (const key of keys) if (!this.#refused.has(key)) this.#refused.set(key, this.#begun);
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MOST) break;
      this.#refused.delete(oldest);
    }
    return isKnown;
  }
}
