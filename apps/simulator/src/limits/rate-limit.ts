const WINDOW_MS = 60_000;

export interface RateState {
  readonly count: number;
  readonly allowed: number;
  /** Seconds until the count starts anew. */
  readonly resetSeconds: number;
  readonly exceeded: boolean;
}

/** Requests per token and minute, as `inin-ratelimit-*` reports them. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { startMs: number; count: number }>();

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Counts one request of this token. */
  count(token: string): RateState {
    const now = this.#now();
    let window = this.#windows.get(token);
    if (!window || now - window.startMs >= WINDOW_MS) {
      for (const [key, old] of this.#windows) if (now - old.startMs >= WINDOW_MS) this.#windows.delete(key);
      window = { startMs: now, count: 0 };
      this.#windows.set(token, window);
    }
    window.count += 1;
    return {
      count: window.count,
      allowed: this.#perMinute,
      resetSeconds: Math.max(1, Math.ceil((window.startMs + WINDOW_MS - now) / 1000)),
      exceeded: window.count > this.#perMinute,
    };
  }
}
