import { headerOf, type Headers } from './headers.ts';

/** Whoever names a later moment than this is asked again after this. */
const MAX_WAIT_MS = 86_400_000;

/**
 * The wait that an answer's `Retry-After` names, in milliseconds from 0 to a day: seconds or an HTTP date in any of its
 * three forms (RFC 9110, 10.2.3 and 5.6.7). Fractions are rounded up, a moment that has passed is 0, and whatever else
 * stands there is undefined.
 */
export function retryAfterOf(headers: Headers, nowMs: number): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim() ?? '';
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, Math.ceil(ms)), MAX_WAIT_MS);
}

/** An HTTP date in milliseconds since the epoch, NaN where it is none. `Date.parse` alone would take "-1" for a year, and the form without zone for local time. */
export function httpDateMs(text: string): number {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return Number.NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
