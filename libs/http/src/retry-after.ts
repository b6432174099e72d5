import { headerOf, type Headers } from './headers.ts';

/** Whoever names a later moment than this is asked again after this. */
const MAX_WAIT_MS = 86_400_000;

/**
 * The wait that an answer's `Retry-After` names, in milliseconds from 0 to a day: seconds or an HTTP date in any of its
 * three forms (RFC 9110, 10.2.3 and 5.6.7). Such a date is held against the answer's own `Date`, by the same clock as
 * it is; against ours (`nowMs`) only where there is none. Fractions are rounded up, a moment that has passed is 0, and
 * whatever else stands there is undefined.
 */
export function retryAfterOf(headers: Headers, nowMs: number): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - (writtenMs(headers) ?? nowMs);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, Math.ceil(ms)), MAX_WAIT_MS);
}

/** An HTTP date in milliseconds since the epoch, NaN where it is none. `Date.parse` alone would take "-1" for a year, and the form without zone for local time. */
function httpDateMs(text: string): number {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return Number.NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}

/** When an answer was written, by the clock of who wrote it: its `Date`, and a stored answer's `Age` (RFC 9111, 5.1). */
export function writtenMs(headers: Headers): number | undefined {
  const age = headerOf(headers, 'age') ?? '0';
  const ms = httpDateMs(headerOf(headers, 'date') ?? '') + (/^\d{1,9}$/.test(age) ? Number(age) * 1000 : Number.NaN);
  return Number.isNaN(ms) ? undefined : ms;
}
