import { calendarOf, dayStates, type Calendar, type FollowPlan, type IntervalState } from '@genesys-kafka/job-poller';
import type { LedgerLine, RunWindow, WindowError } from '@genesys-kafka/ledger';
import { laneOf } from './follow.ts';

/** Windows in a row of which the same can be said. */
export interface IntervalStatus {
  readonly from: string;
  readonly to: string;
  readonly state: IntervalState;
  readonly windows: number;
  /** `provisional`: until data of this date has been read, they may be read again. */
  readonly until?: string;
  /** `failed`: since when, how often, why, and when it is tried next. */
  readonly since?: string;
  readonly attempts?: number;
  readonly nextTry?: string;
  readonly error?: WindowError;
}

/** What `run` has made of the organisation so far, from `windows.from` to now. */
export interface RunStatus {
  readonly contract: string;
  readonly from: string;
  readonly sizeMs: number;
  /** Everything before this is published … */
  readonly completeUntil: string;
  /** … and so far behind now that is. */
  readonly behindSeconds: number;
  readonly windows: Readonly<Record<IntervalState, number>>;
  /** One a UTC day, the worst of its windows. */
  readonly days: readonly IntervalState[];
  readonly intervals: readonly IntervalStatus[];
}

/** Undefined where the connector was never followed. `rereads` are those of the settings: the ledger does not hold them. */
export function runStatus(
  connector: string,
  ledger: readonly LedgerLine[],
  rereads: FollowPlan['rereads'],
  nowMs: number,
): RunStatus | undefined {
  const lines = ledger.filter((line) => line.connector === connector);
  const plan = lines.find((line) => line.kind === 'run-plan');
  if (!plan) return undefined;
  const windows = lines.filter((line) => line.kind === 'run-window');
  const known = new Map(windows.map((line) => [line.window, line]));
  const { contract, from, sizeMs } = plan;
  const follow = { fromMs: Date.parse(from), sizeMs, rereads };
  const calendar = calendarOf(follow, known, nowMs, laneOf(connector));
  return {
    contract,
    from,
    sizeMs,
    completeUntil: iso(calendar.completeUntilMs),
    behindSeconds: Math.round((nowMs - calendar.completeUntilMs) / 1000),
    windows: calendar.counts,
    days: dayStates(calendar),
    intervals: calendar.intervals.map(intervalStatus),
  };
}

function intervalStatus(interval: Calendar<RunWindow>['intervals'][number]): IntervalStatus {
  const { fromMs, toMs, state, windows, untilMs, facts } = interval;
  const { failures, error } = facts ?? {};
  return {
    from: iso(fromMs),
    to: iso(toMs),
    state,
    windows,
    ...(untilMs === undefined ? {} : { until: iso(untilMs) }),
    ...(failures ? { since: failures.since, attempts: failures.count, nextTry: failures.nextTry } : {}),
    ...(error ? { error } : {}),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
