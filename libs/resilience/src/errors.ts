/** What a failure ends: this command line, the whole run, or one source of many. */
export type Scope = 'usage' | 'run' | 'source';

/** One row of a library's table of errors: what the reference says of a code, and what is done on seeing it. */
export interface ErrorDescription {
  /** What has happened, in one sentence without the particulars of a case. */
  readonly meaning: string;
  /** What whoever sees it does about it; ends the message of each error with this code. */
  readonly remedy: string;
  /** Whether the same call may succeed later; default false. Unknown errors are never retried. */
  readonly retry?: boolean;
  /** What it ends; default `run`. */
  readonly scope?: Scope;
}

export type ErrorTable<C extends string = string> = Readonly<Record<C, ErrorDescription>>;

/** What is particular to one failure. */
export interface ErrorFacts {
  /** Instead of the table's, where this case knows better. */
  readonly remedy?: string;
  /** The least time to wait before the next attempt, in milliseconds, where the other side named one. */
  readonly retryAfterMs?: number;
  /** Facts for logs and reports. Never personal data, secrets or query strings. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

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

/**
 * The base of a library's one error class, made from its table: `class KafkaError extends errorsOf(KAFKA_ERRORS) {}`.
 * An error is made of a code and what happened here (a whole sentence); remedy, verdict and scope come from the table.
 */
export function errorsOf<const T extends ErrorTable>(table: T) {
  return class extends OperationalError {
    declare readonly code: keyof T & string;

    constructor(code: keyof T & string, what: string, { remedy, ...facts }: ErrorFacts = {}) {
      const row: ErrorDescription = table[code]!;
      super(code, `${what} ${remedy ?? row.remedy}`, {
        ...facts,
        retry: row.retry ?? false,
        scope: row.scope ?? 'run',
      });
    }
  };
}

/** True for errors that may be tried again unchanged. */
export function isRetryable(error: unknown): error is OperationalError {
  return error instanceof OperationalError && error.retry;
}

/** True for failures that end one source and leave the rest of the run standing. */
export function endsSourceOnly(error: unknown): error is OperationalError {
  return error instanceof OperationalError && error.scope === 'source';
}
