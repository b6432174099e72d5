/** What a failure ends: this command line, the whole run, or one source of many. */
export type Scope = 'usage' | 'run' | 'source';

export interface OperationalErrorOptions {
  /** Whether the same call may succeed later. Unknown errors are never retried. */
  readonly retry?: boolean;
  /** The least time to wait before the next attempt, in milliseconds, where the other side named one. */
  readonly retryAfterMs?: number;
  readonly scope?: Scope;
  /** Facts for logs and reports. Never personal data, secrets or query strings. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

/**
 * An expected failure: it has a stable code for scripts, a message that says what, where and what to do,
 * and a verdict on retrying. Anything else that is thrown is a bug.
 */
export class OperationalError extends Error {
  readonly code: string;
  readonly retry: boolean;
  readonly retryAfterMs: number | undefined;
  readonly scope: Scope;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: string, message: string, options: OperationalErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = options.retry ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.scope = options.scope ?? 'run';
    this.details = options.details ?? {};
  }
}

/** True for errors that may be tried again unchanged. */
export function isRetryable(error: unknown): error is OperationalError {
  return error instanceof OperationalError && error.retry;
}
