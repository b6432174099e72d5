export interface BackoffOptions {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Upper bound of the uniform jitter added to each delay. */
  readonly jitterMs: number;
}

/** Delay before attempt `attempt + 1`, counted from 0: exponential, capped, plus 0 to `jitterMs`. */
export function backoffMs(options: BackoffOptions, attempt: number, random: () => number = Math.random): number {
  const base = Math.min(options.initialMs * options.factor ** attempt, options.maxMs);
  return base + random() * options.jitterMs;
}
