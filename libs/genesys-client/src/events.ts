/** What the client tells of itself, for logs and metrics. No event holds a secret, a query string or personal data. */
export type ClientEvent =
  /** One attempt ended: with a `status`, or with an error's `code`. */
  | {
      readonly type: 'request';
      readonly operation: string;
      readonly durationMs: number;
      readonly bytes: number;
      readonly status?: number;
      readonly code?: string;
      readonly correlationId?: string;
    }
  /** Attempt `attempt` (from 1) failed; the next follows after `waitMs` and whatever the budget asks for. */
  | {
      readonly type: 'retry';
      readonly operation: string;
      readonly attempt: number;
      readonly waitMs: number;
      readonly status?: number;
      readonly code?: string;
    }
  /** A 429 came: all calls are held. */
  | { readonly type: 'rate-limited'; readonly holdMs: number }
  /** The `inin-ratelimit-*` headers make no sense, told once; each is as it came, where it is short and harmless. */
  | {
      readonly type: 'rate-headers-unreadable';
      readonly count: string;
      readonly allowed: string;
      readonly reset: string;
    }
  | {
      readonly type: 'token-refreshed';
      readonly reason: 'first' | 'expiring' | 'refused';
      readonly lifetimeMs: number;
    }
  /** Genesys named a job state that this version does not know; it is treated as pending. */
  | { readonly type: 'unknown-job-state'; readonly operation: string; readonly state: string };

export type OnEvent = (event: ClientEvent) => void;
