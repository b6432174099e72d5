import { setTimeout as delay } from 'node:timers/promises';

/** Node takes a longer timer for none at all (2^31 - 1 ms, 24.8 days). */
const MAX_TIMER_MS = 2_147_483_647;

/** Time as a port: durations come from `monotonicMs`, timestamps from `nowMs`, and tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never jumps. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      let leftMs = ms;
      do {
        await delay(Math.min(leftMs, MAX_TIMER_MS), undefined, signal ? { signal } : undefined);
        leftMs -= MAX_TIMER_MS;
      } while (leftMs > 0);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
