import {
  completeUntilMs,
  provisionalUntilMs,
  utcDay,
  windowsUntil,
  type FollowPlan,
  type WindowFacts,
} from './follow-plan.ts';
import type { Window } from './windows.ts';

/**
 * `published`: read for good. `provisional`: published, and to be read again. `pending`: over, and not yet read to its
 * end. `failed`: the last reading failed, and is tried again. `missing`: the ledger holds nothing of it, and holds later
 * windows that are read in the same order.
 */
export type IntervalState = 'published' | 'provisional' | 'pending' | 'failed' | 'missing';

/** Windows in a row of which the same can be said. */
export interface CalendarInterval<F extends WindowFacts = WindowFacts> {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: IntervalState;
  readonly windows: number;
  /** `provisional`: the availability date after which none of them is read again. */
  readonly untilMs?: number;
  /** `failed`: what is known of it; each failed window is an interval of its own. */
  readonly facts?: F;
}

export interface Calendar<F extends WindowFacts = WindowFacts> {
  readonly intervals: readonly CalendarInterval<F>[];
  readonly counts: Readonly<Record<IntervalState, number>>;
  /** Everything before this is published. */
  readonly completeUntilMs: number;
}

/** Every moment from the plan's start to the last window that is over, by what became of it. */
export function calendarOf<F extends WindowFacts>(
  plan: FollowPlan,
  known: ReadonlyMap<string, F>,
  nowMs: number,
  laneOf: (startMs: number) => number,
): Calendar<F> {
  const intervals: CalendarInterval<F>[] = [];
  const counts = { published: 0, provisional: 0, pending: 0, failed: 0, missing: 0 };
  const windows = [...windowsUntil(plan, nowMs, known)];
  const last = lastKnownByLane(windows, known, laneOf);
  for (const window of windows) {
    const one = intervalOf(plan, window, known.get(window.id), last.get(laneOf(window.from.getTime())));
    counts[one.state] += 1;
    const before = intervals.at(-1);
    if (before?.state === one.state && one.state !== 'failed') intervals[intervals.length - 1] = joined(before, one);
    else intervals.push(one);
  }
  return { intervals, counts, completeUntilMs: completeUntilMs(plan, known, nowMs) };
}

function lastKnownByLane(
  windows: readonly Window[],
  known: ReadonlyMap<string, WindowFacts>,
  laneOf: (startMs: number) => number,
): ReadonlyMap<number, number> {
  const read = windows.filter(({ id }) => known.has(id)).map(({ from }) => from.getTime());
  return new Map(read.map((startMs) => [laneOf(startMs), startMs]));
}

function intervalOf<F extends WindowFacts>(
  plan: FollowPlan,
  window: Window,
  facts: F | undefined,
  lastKnownMs = -Infinity,
): CalendarInterval<F> {
  const span = { fromMs: window.from.getTime(), toMs: window.to.getTime(), windows: 1 };
  if (!facts) return { ...span, state: span.fromMs < lastKnownMs ? 'missing' : 'pending' };
  if (facts.state === 'failed') return { ...span, state: 'failed', facts };
  if (!facts.lastReading) return { ...span, state: 'pending' };
  const untilMs = provisionalUntilMs(plan, window, facts);
  return untilMs === undefined ? { ...span, state: 'published' } : { ...span, state: 'provisional', untilMs };
}

function joined<F extends WindowFacts>(one: CalendarInterval<F>, next: CalendarInterval<F>): CalendarInterval<F> {
  const untilMs = Math.max(one.untilMs ?? 0, next.untilMs ?? 0);
  const windows = one.windows + next.windows;
  return { ...one, toMs: next.toMs, windows, ...(untilMs > 0 ? { untilMs } : {}) };
}

/** The worst first: what a day is shown as. */
const WORST: readonly IntervalState[] = ['missing', 'failed', 'pending', 'provisional', 'published'];

/** The worst state of each UTC day, in order, from the first day to the last. */
export function dayStates({ intervals }: Calendar): IntervalState[] {
  const [first, last] = [intervals[0], intervals.at(-1)];
  if (!first || !last) return [];
  const start = utcDay(first.fromMs);
  const days = new Array<IntervalState>(utcDay(last.toMs - 1) - start + 1).fill('published');
  for (const { fromMs, toMs, state } of intervals) {
    for (let day = utcDay(fromMs) - start; day <= utcDay(toMs - 1) - start; day += 1) {
      if (WORST.indexOf(state) < WORST.indexOf(days[day]!)) days[day] = state;
    }
  }
  return days;
}
