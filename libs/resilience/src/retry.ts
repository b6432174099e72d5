import { backoffMs, type BackoffOptions } from './backoff.ts';
import { systemClock, type Clock } from './clock.ts';
import { isRetryable, type OperationalError } from './errors.ts';

export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  readonly backoff: BackoffOptions;
  /** No call that would begin later than this after the first one; default no bound. */
  readonly maxElapsedMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly signal?: AbortSignal;
  /** Told before each wait. */
  readonly onRetry?: (error: OperationalError, attempt: number, waitMs: number) => void;
}

/**
 * Calls until it succeeds, retrying only errors whose verdict says so. An error's `retryAfterMs` is a least wait.
 * Rejects with the last error, or with the signal's reason.
 */
export async function retry<T>(call: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const clock = options.clock ?? systemClock;
  const startMs = clock.monotonicMs();
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isRetryable(error) || attempt + 1 >= options.attempts) throw error;
      const waitMs = Math.max(backoffMs(options.backoff, attempt, options.random), error.retryAfterMs ?? 0);
      if (clock.monotonicMs() - startMs + waitMs > (options.maxElapsedMs ?? Infinity)) throw error;
      options.onRetry?.(error, attempt, waitMs);
      await clock.sleep(waitMs, options.signal);
    }
  }
}
