import { headerOf, type Headers } from '@genesys-kafka/http';

/** What an answer says of the allowance that its token has in a window of time (docs/genesys-cloud.md, "Rate limits"). */
export interface RateHeaders {
  /** Requests in this window so far, whoever made them. */
  readonly count: number;
  readonly allowed: number;
  /** Until the window ends: rounded, up or down. */
  readonly resetSeconds: number;
}

const NAMES = ['count', 'allowed', 'reset'] as const;
/** Windows are of a minute. What names a later end, such as a date in seconds, is not a span that could be waited for. */
const MAX_RESET_SECONDS = 3600;

/** The `inin-ratelimit-*` headers of an answer. One that is missing beside others is as bad as one that is no number. */
export function rateHeadersOf(headers: Headers): RateHeaders | 'absent' | 'unreadable' {
  const texts = NAMES.map((name) => headerOf(headers, `inin-ratelimit-${name}`)?.trim());
  if (texts.every((text) => text === undefined)) return 'absent';
  const [count, allowed, resetSeconds] = texts.map((text) =>
    /^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN,
  );
  const readable = { count: count!, allowed: allowed!, resetSeconds: resetSeconds! };
  // An allowance of nothing would be waited for without end.
  if (!(readable.count >= 0 && readable.allowed > 0 && readable.resetSeconds <= MAX_RESET_SECONDS)) return 'unreadable';
  return readable;
}
