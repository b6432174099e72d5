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
  /** All calls are held: a 429 came, or the allowance that Genesys reports is nearly spent. */
  | { readonly type: 'rate-limited'; readonly reason: '429' | 'allowance'; readonly holdMs: number }
  | {
      readonly type: 'token-refreshed';
      readonly reason: 'first' | 'expiring' | 'refused';
      readonly lifetimeMs: number;
    }
  /** Genesys named a job state that this version does not know; it is treated as pending. */
  | { readonly type: 'unknown-job-state'; readonly operation: string; readonly state: string };

export type OnEvent = (event: ClientEvent) => void;
