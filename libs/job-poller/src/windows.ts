import { JobError } from './errors.ts';

/** A slice of an export's interval, from inclusive, to exclusive: the unit of work, ownership and progress. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
  /** Names the window in the ledger; see `windowId`. */
  readonly id: string;
}

/** More windows than this is a misspelt size or year, not a plan: each is a ledger entry and a Genesys job. */
const MAX_WINDOWS = 1_000_000;

/**
 * Cuts `[from, to)` at the multiples of `sizeMs` since the epoch (UTC), so that two plans of overlapping intervals
 * share the windows they have in common; the first and the last window are clipped to the interval.
 * The windows cover the interval exactly, in order, without gap or overlap. Raises a JobError, `bad-interval`.
 */
export function planWindows(interval: { readonly from: Date; readonly to: Date; readonly sizeMs: number }): Window[] {
  const { sizeMs } = interval;
  const fromMs = interval.from.getTime();
  const toMs = interval.to.getTime();
  if (Number.isNaN(fromMs) || Number.isNaN(toMs)) throw badInterval('The interval has a date that is no date.');
  if (!Number.isSafeInteger(sizeMs) || sizeMs <= 0) {
    throw badInterval(`The window size must be a whole number of milliseconds above 0, not ${sizeMs}.`);
  }
  if (fromMs >= toMs) {
    const [from, to] = [interval.from.toISOString(), interval.to.toISOString()];
    throw badInterval(`The interval is empty: it starts at ${from} and ends at ${to}.`);
  }
  const firstStartMs = Math.floor(fromMs / sizeMs) * sizeMs;
  const count = Math.ceil((toMs - firstStartMs) / sizeMs);
  if (count > MAX_WINDOWS) throw badInterval(`The interval would make ${count} windows, more than ${MAX_WINDOWS}.`);
  return Array.from({ length: count }, (_, index) => {
    const startMs = firstStartMs + index * sizeMs;
    const from = new Date(Math.max(startMs, fromMs));
    const to = new Date(Math.min(startMs + sizeMs, toMs));
    return { from, to, id: windowId(from, to) };
  });
}

function badInterval(what: string): JobError {
  return new JobError('bad-interval', what);
}

/**
 * `2026-01-01T00:00Z/2026-01-02T00:00Z`: an ISO 8601 interval in UTC, to the minute where that says all, else with
 * seconds or milliseconds. One interval has one spelling, for ever: it is a key of the ledger.
 */
export function windowId(from: Date, to: Date): string {
  return `${instant(from)}/${instant(to)}`;
}

/** The day on which a window of this id begins, in UTC: `2026-01-01`. */
export function dayOf(id: string): string {
  return id.slice(0, id.indexOf('T'));
}

function instant(date: Date): string {
  return date
    .toISOString()
    .replace(/\.000Z$/, 'Z')
    .replace(/(T\d\d:\d\d):00Z$/, '$1Z');
}
