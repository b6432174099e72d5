import { systemClock, type Clock } from './clock.ts';
import { unlessAborted } from './deadline.ts';

/** Leave to begin one call, which counts from when it really reaches the other side. */
export interface Permit {
  /** It is on its way now; told again for one that is repeated, which counts too. */
  begun(): void;
  /** It is over. Of a call that never began, or never told, this is what counts. */
  done(): void;
}

/** At most `max` permits in any `perMs` milliseconds, handed out in the order of asking. */
export class SlidingWindow {
  readonly #max: number;
  readonly #perMs: number;
  readonly #clock: Clock;
  /** Moments on the monotonic clock; Infinity for a call that has leave and has not begun. */
  #granted: { atMs: number }[] = [];
  #changed = Promise.withResolvers<undefined>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly max: number; readonly perMs: number; readonly clock?: Clock }) {
    this.#max = options.max;
    this.#perMs = options.perMs;
    this.#clock = options.clock ?? systemClock;
  }

  /** Resolves when one more call may start, and counts it from then; rejects with the signal's reason. */
  async acquire(signal?: AbortSignal): Promise<void> {
    (await this.permit(signal)).done();
  }

  /** As `acquire`, for a call that takes a while to begin: it holds its place until it says so. */
  async permit(signal?: AbortSignal): Promise<Permit> {
    const turn = this.#tail.then(() => this.#wait(signal));
    this.#tail = turn.catch(() => undefined);
    const granted = await turn;
    const count = () => {
      granted.atMs = this.#clock.monotonicMs();
      this.#changed.resolve(undefined);
      this.#changed = Promise.withResolvers<undefined>();
    };
    return {
      begun: () => {
        if (granted.atMs === Infinity) count();
        else this.#granted.push({ atMs: this.#clock.monotonicMs() });
      },
      done: () => {
        if (granted.atMs === Infinity) count();
      },
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<{ atMs: number }> {
    for (;;) {
      signal?.throwIfAborted();
      const nowMs = this.#clock.monotonicMs();
      this.#granted = this.#granted.filter(({ atMs }) => atMs > nowMs - this.#perMs).sort((a, b) => a.atMs - b.atMs);
      const freeMs = (this.#granted[this.#granted.length - this.#max]?.atMs ?? -Infinity) + this.#perMs;
      if (freeMs <= nowMs) {
        const granted = { atMs: Infinity };
        this.#granted.push(granted);
        return granted;
      }
      if (freeMs === Infinity) await unlessAborted(this.#changed.promise, signal);
      else await this.#clock.sleep(freeMs - nowMs, signal);
    }
  }
}
