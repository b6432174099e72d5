import type { RecordCounts } from './record-counts.ts';
import { nothingRead, type WindowProgress } from './window-progress.ts';

/**
 * `planned`: a job is about to be asked for. `submitted`, `publishing`: as of any window. `done`: the last reading ended
 * well. `failed`: it did not, and is tried again. `split`: its halves are read in its place.
 */
export type RunWindowState = 'planned' | 'submitted' | 'publishing' | 'done' | 'failed' | 'split';

/** The last reading of a window that came to its end. */
export interface LastReading {
  readonly number: number;
  /** When its job was submitted; ISO 8601. */
  readonly at: string;
  /** Until when data was available before that; ISO 8601. */
  readonly until: string;
  readonly counts: RecordCounts;
}

/** Attempts since the last reading that ended well; why is the line's `error`. */
export interface Failures {
  /** ISO 8601, as all moments here. */
  readonly since: string;
  readonly count: number;
  readonly nextTry: string;
  /** Its job is read on then; otherwise another one is asked for. */
  readonly keepsJob?: true;
}

/** A window that `run` follows: one line for all of its readings, with everything that status and planning need. */
export interface RunWindow extends WindowProgress {
  readonly v: 1;
  readonly kind: 'run-window';
  readonly state: RunWindowState;
  /** Number of the reading that source, position and counts are of; from 1. */
  readonly reading: number;
  /** Until when data was available before its job was asked for; ISO 8601. */
  readonly availableUntil: string;
  readonly lastReading?: LastReading;
  readonly failures?: Failures;
  /** Of a `split` window: the windows that are read in its place. */
  readonly halves?: readonly [string, string];
}

/** By what `run` follows an organisation. It cannot change: windows would be read twice, or never. */
export interface RunPlan {
  readonly v: 1;
  readonly kind: 'run-plan';
  readonly connector: string;
  /** The lane that this line is of: each has its own, as a key is written by one lane alone. */
  readonly lane: number;
  /** ISO 8601. */
  readonly from: string;
  readonly sizeMs: number;
  readonly contract: string;
  /** A digest of the query. */
  readonly query: string;
  readonly updatedAt: string;
}

const RUN_PREFIX = 'run/';

/** Keys of a connector's run begin with this. A connector's name has no slash. */
export function runPrefix(connector: string): string {
  return `${RUN_PREFIX}${connector}/`;
}

export function runWindowKey(connector: string, window: string): string {
  return runPrefix(connector) + window;
}

export function runPlanKey({ connector, lane }: Pick<RunPlan, 'connector' | 'lane'>): string {
  return `${runPrefix(connector)}plan.${lane}`;
}

/** A failed window whose job is read on. */
export function readOn(line: RunWindow): RunWindow {
  return { ...line, state: line.counts.read > 0 ? 'publishing' : 'submitted' };
}

/** A window before its job is asked for: the next reading of one that is known, or the first. */
export function plannedReading(
  facts: Pick<RunWindow, 'connector' | 'contract' | 'window' | 'availableUntil' | 'updatedAt'>,
  before: RunWindow | undefined,
): RunWindow {
  const { lastReading, failures } = before ?? {};
  return {
    v: 1,
    kind: 'run-window',
    ...facts,
    state: 'planned',
    ...nothingRead(),
    reading: (lastReading?.number ?? 0) + 1,
    ...(lastReading ? { lastReading } : {}),
    ...(failures ? { failures } : {}),
  };
}
