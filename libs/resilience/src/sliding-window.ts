import { systemClock, type Clock } from './clock.ts';

/**
 * At most `max` permits in any `perMs` milliseconds, handed out in the order of asking.
 * `holdUntil` stops all permits until a moment of the monotonic clock, as a 429 asks for.
 */
export class SlidingWindow {
  readonly #max: number;
  readonly #perMs: number;
  readonly #clock: Clock;
  #granted: number[] = [];
  #heldUntilMs = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly max: number; readonly perMs: number; readonly clock?: Clock }) {
    this.#max = options.max;
    this.#perMs = options.perMs;
    this.#clock = options.clock ?? systemClock;
  }

  /** Resolves when one more call may start; rejects with the signal's reason. */
  async acquire(signal?: AbortSignal): Promise<void> {
    const turn = this.#tail.then(() => this.#wait(signal));
    this.#tail = turn.catch(() => undefined);
    await turn;
  }

  /** No permit before `ms` milliseconds from now; an earlier hold that ends later stays. */
  hold(ms: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#clock.monotonicMs() + ms);
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const nowMs = this.#clock.monotonicMs();
      this.#granted = this.#granted.filter((atMs) => atMs > nowMs - this.#perMs);
      const oldestMs = this.#granted[this.#granted.length - this.#max];
      const freeMs = Math.max(this.#heldUntilMs, oldestMs === undefined ? 0 : oldestMs + this.#perMs);
      if (freeMs <= nowMs) {
        this.#granted.push(nowMs);
        return;
      }
      await this.#clock.sleep(freeMs - nowMs, signal);
    }
  }
}
