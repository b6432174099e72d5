/** A send that takes longer makes the next ones half as large. It has to be well below the client's 25 s for a delivery. */
const SLOW_MS = 5_000;
/** A send that takes less makes the next ones a little larger again. */
const QUICK_MS = 1_000;
const GROWTH = 1.1;
/** After one that failed for its slowness: it tells less than one that arrived, and costs a claim of the lane. */
const FAILED_SHRINKAGE = 4;
const MIN_SHARE = 1 / 128;
/** Where sends are quick, more of them may be under way than there were at first: their answers may come from far. */
const MAX_SHARE = 2;

/**
 * How much may be sent at once and wait to be sent, as a share of the limits: what the last sends took says how much a
 * quota or a slow link lets through. Outlives the publisher that fails, so that the next one does not begin as it did.
 */
export class SendPace {
  #share = 1;
  #changedMs = Number.NEGATIVE_INFINITY;

  /** Between 0 and 1; to be multiplied with what is allowed at best. */
  get share(): number {
    return Math.min(1, this.#share);
  }

  /** The same for what may wait to be sent, between 0 and 2: it begins at 1, and is at its largest soon. */
  get bufferShare(): number {
    return this.#share;
  }

  succeeded(startedMs: number, endedMs: number): void {
    const tookMs = endedMs - startedMs;
    if (tookMs > SLOW_MS) this.#change(this.#share / 2, startedMs, endedMs);
    else if (tookMs < QUICK_MS) this.#change(this.#share * GROWTH, startedMs, endedMs);
  }

  failed(startedMs: number, endedMs: number): void {
    if (endedMs - startedMs > SLOW_MS) this.#change(this.#share / FAILED_SHRINKAGE, startedMs, endedMs);
  }

  /** Sends of several partitions run at once: one that began before the last change says nothing about it. */
  #change(share: number, startedMs: number, endedMs: number): void {
    if (startedMs < this.#changedMs) return;
    const bounded = Math.min(MAX_SHARE, Math.max(MIN_SHARE, share));
    if (bounded === this.#share) return;
    this.#share = bounded;
    this.#changedMs = endedMs;
  }
}
