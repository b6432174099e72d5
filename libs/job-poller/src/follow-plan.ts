import type { Window } from './windows.ts';
import { windowId } from './windows.ts';

const DAY_MS = 86_400_000;
/** Windows are not cut finer than this. */
const LEAST_MS = 60_000;
const MOST_RETRY_MS = 6 * 3_600_000;

/** How `run` follows an organisation. */
export interface FollowPlan {
  readonly fromMs: number;
  /** Divides a day, so that a window lies in one UTC day. */
  readonly sizeMs: number;
  /** Windows that ended within `ageMs` are read again once their last reading is `everyMs` old. */
  readonly rereads: readonly { readonly ageMs: number; readonly everyMs: number }[];
}

/** What planning needs to know of a window that is known. */
export interface WindowFacts {
  readonly state: 'planned' | 'submitted' | 'publishing' | 'done' | 'failed' | 'split';
  /** Of the last reading that ended well: until when data was available. */
  readonly lastReading?: { readonly until: string };
  readonly failures?: { readonly count: number; readonly nextTry: string };
}

/** When it is planned, and how long a window waits that has failed once. */
export interface PlanningMoment {
  readonly nowMs: number;
  readonly availableMs: number;
  readonly retryAfterMs: number;
}

/** What there is to be done with a window, the most urgent first. */
export type Due = 'continue' | 'first' | 'retry' | 'reread';

export interface DueWindow {
  readonly window: Window;
  readonly due: Due;
}

export interface Work {
  /** In the order in which it is to be done. */
  readonly due: readonly DueWindow[];
  /** When a failed window is to be tried next; undefined where none waits. */
  readonly nextRetryMs: number | undefined;
}

const ORDER: readonly Due[] = ['continue', 'first', 'retry', 'reread'];

/**
 * What is to be done now: windows in hand, then first readings, then retries, then readings again, each oldest first.
 * Every window from `fromMs` on is looked at each time, so none is skipped, and none that ends past `availableMs` is
 * among them. How old a window and its last reading are goes by the data's availability date, not by the clock: where
 * no data has come since, nothing new can be read. `wanted` picks the windows that are ours, by their start.
 */
export function planWork(
  plan: FollowPlan,
  known: Pick<ReadonlyMap<string, WindowFacts>, 'get'>,
  now: PlanningMoment,
  wanted: (startMs: number) => boolean = () => true,
): Work {
  const found: Record<Due, DueWindow[]> = { continue: [], first: [], retry: [], reread: [] };
  let nextRetryMs: number | undefined;
  for (const window of windowsUntil(plan, now.availableMs, known, wanted)) {
    const facts = known.get(window.id);
    const retryMs = facts?.state === 'failed' ? waitsUntilMs(facts, now) : undefined;
    if (retryMs !== undefined) {
      nextRetryMs = Math.min(nextRetryMs ?? Infinity, retryMs);
      continue;
    }
    const due = dueOf(plan, window, facts, now.availableMs);
    if (due) found[due].push({ window, due });
  }
  return { due: ORDER.flatMap((due) => found[due]), nextRetryMs };
}

/**
 * The same work, with first readings and retries by turns: neither a history that takes days nor windows that fail again
 * and again hold up the other. `turn`: of which of the two the first is taken.
 */
export function inTurn(due: readonly DueWindow[], turn: 'first' | 'retry'): readonly DueWindow[] {
  const of = (wanted: Due) => due.filter((one) => one.due === wanted);
  const [one, other] = turn === 'first' ? [of('first'), of('retry')] : [of('retry'), of('first')];
  const pairs = Math.min(one.length, other.length);
  const taken = one.slice(0, pairs).flatMap((each, index) => [each, other[index]!]);
  return [...of('continue'), ...taken, ...one.slice(pairs), ...other.slice(pairs), ...of('reread')];
}

/** When a failed window is tried again; undefined where that is now. */
function waitsUntilMs({ failures }: WindowFacts, { nowMs, retryAfterMs }: PlanningMoment): number | undefined {
  if (!failures) return undefined;
  const retryMs = Date.parse(failures.nextTry);
  // Further away than it was when it was written: the clock was ahead then, or the wait is a shorter one now.
  const isBelievable = retryMs <= nextTryMs(nowMs, failures.count, retryAfterMs);
  return retryMs > nowMs && isBelievable ? retryMs : undefined;
}

function dueOf(plan: FollowPlan, window: Window, facts: WindowFacts | undefined, availableMs: number): Due | undefined {
  if (facts === undefined) return 'first';
  if (facts.state === 'failed') return 'retry';
  if (facts.state !== 'done') return 'continue';
  const sinceMs = availableMs - readUntilMs(facts);
  const ageMs = availableMs - window.to.getTime();
  // Also where the last one claims to know of a time that has not come: its clock, or Genesys', was ahead.
  const isDue = plan.rereads.some((entry) => ageMs <= entry.ageMs && Math.abs(sinceMs) >= entry.everyMs);
  return isDue ? 'reread' : undefined;
}

/** Until when a window that is read may be read again, by the availability date; undefined: it is final. */
export function provisionalUntilMs({ rereads }: FollowPlan, window: Window, facts: WindowFacts): number | undefined {
  const ends = rereads
    .map(({ ageMs, everyMs }) => ({ endMs: window.to.getTime() + ageMs, dueMs: readUntilMs(facts) + everyMs }))
    .filter(({ endMs, dueMs }) => dueMs <= endMs)
    .map(({ endMs }) => endMs);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function readUntilMs({ lastReading }: WindowFacts): number {
  return Date.parse(lastReading?.until ?? '') || 0;
}

/** Everything before this, up to `untilMs`, was read once. */
export function completeUntilMs(
  plan: FollowPlan,
  known: Pick<ReadonlyMap<string, WindowFacts>, 'get'>,
  untilMs: number,
  wanted?: (startMs: number) => boolean,
): number {
  let endMs = plan.fromMs;
  for (const { id, from, to } of windowsUntil(plan, untilMs, known, wanted)) {
    if (!known.get(id)?.lastReading) return from.getTime();
    endMs = to.getTime();
  }
  return endMs;
}

/** The windows that end by `untilMs`, in order, without gap or overlap; of those that were split, their halves. */
export function* windowsUntil(
  plan: FollowPlan,
  untilMs: number,
  known: Pick<ReadonlyMap<string, WindowFacts>, 'get'>,
  wanted: (startMs: number) => boolean = () => true,
): Generator<Window> {
  for (const window of wholeWindows(plan, untilMs)) {
    if (!wanted(window.from.getTime())) continue;
    if (known.get(window.id)?.state === 'split') yield* unsplit(window, known);
    else yield window;
  }
}

/** Windows as they were before any was split. They are looked at again and again, and spelling their ids takes longest. */
const WHOLE = new WeakMap<FollowPlan, Window[]>();

function* wholeWindows(plan: FollowPlan, untilMs: number): Generator<Window> {
  const { fromMs, sizeMs } = plan;
  const windows = WHOLE.get(plan) ?? [];
  WHOLE.set(plan, windows);
  for (let [index, startMs] = [0, fromMs]; ; index += 1) {
    const endMs = (Math.floor(startMs / sizeMs) + 1) * sizeMs;
    if (endMs > untilMs) return;
    yield (windows[index] ??= windowOf(startMs, endMs));
    startMs = endMs;
  }
}

function* unsplit(window: Window, known: Pick<ReadonlyMap<string, WindowFacts>, 'get'>): Generator<Window> {
  const halves = known.get(window.id)?.state === 'split' ? halvesOf(window) : undefined;
  if (!halves) yield window;
  else for (const half of halves) yield* unsplit(half, known);
}

/** A window cut in its middle, at a whole minute; undefined for one of a minute, or hardly more. */
export function halvesOf({ from, to }: Window): readonly [Window, Window] | undefined {
  const [fromMs, toMs] = [from.getTime(), to.getTime()];
  const middleMs = Math.round((fromMs + toMs) / 2 / LEAST_MS) * LEAST_MS;
  if (middleMs - fromMs < LEAST_MS || toMs - middleMs < LEAST_MS) return undefined;
  return [windowOf(fromMs, middleMs), windowOf(middleMs, toMs)];
}

/** When a window that has failed `count` times is tried again: doubled each time, up to six hours. */
export function nextTryMs(nowMs: number, count: number, retryAfterMs: number): number {
  return nowMs + Math.max(retryAfterMs, Math.min(retryAfterMs * 2 ** (count - 1), MOST_RETRY_MS));
}

/** Days since the epoch, in UTC. */
export function utcDay(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Whether windows of this size lie in one UTC day each. */
export function dividesDay(sizeMs: number): boolean {
  return DAY_MS % sizeMs === 0;
}

function windowOf(fromMs: number, toMs: number): Window {
  const [from, to] = [new Date(fromMs), new Date(toMs)];
  return { from, to, id: windowId(from, to) };
}
