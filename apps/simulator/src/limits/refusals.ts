import { ApiError, rateLimitMessage } from '../genesys/error-body.ts';

/** Whose limit a 429 stands for. */
const LIMITS = ['token-rate', 'concurrent-jobs', 'submit-rate'] as const;
export type Limit = (typeof LIMITS)[number];

export interface RefusalCounts {
  /** How often 429 was the answer. */
  readonly refused: number;
  /** Of these, how often to a client that knew: it had been refused before, and nothing was let through since. */
  readonly again: number;
}

/** Answers cross requests that are on their way: what comes this soon after a refusal was not sent in spite of it. */
const CROSSING_MS = 250;

/** Makes every 429, and counts them. */
export class Refusals {
  readonly #now: () => number;
  readonly #counts = new Map<Limit, { refused: number; again: number }>(
    LIMITS.map((limit) => [limit, { refused: 0, again: 0 }]),
  );
  /** By limit and token: when it was refused, until something is let through. */
  readonly #refusedMs = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The answer to a request of this token that is over the limit. */
  refuse(limit: Limit, token: string, retryAfterSeconds: number): ApiError {
    const key = `${limit} ${token}`;
    const counts = this.#counts.get(limit)!;
    const beforeMs = this.#refusedMs.get(key);
    counts.refused += 1;
    if (beforeMs !== undefined && this.#now() - beforeMs > CROSSING_MS) counts.again += 1;
    this.#refusedMs.set(key, this.#now());
    const headers = { 'retry-after': String(retryAfterSeconds) };
    return new ApiError(429, 'too.many.requests', rateLimitMessage(retryAfterSeconds), headers);
  }

  /** A request of this token was within the limit. */
  pass(limit: Limit, token: string): void {
    this.#refusedMs.delete(`${limit} ${token}`);
  }

  report(): Readonly<Record<Limit, RefusalCounts>> {
    return Object.fromEntries(LIMITS.map((limit) => [limit, { ...this.#counts.get(limit)! }])) as Record<
      Limit,
      RefusalCounts
    >;
  }
}
