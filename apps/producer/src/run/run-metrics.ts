import type { RunWindow } from '@genesys-kafka/ledger';
import type { Metrics } from '@genesys-kafka/runtime';
import type { JobWatcher } from '../genesys/watched-jobs.ts';

/** What a process of `run` shows of itself when it is asked; all of it about the lanes that it holds. */
export interface RunFigures {
  readonly lanes: number;
  /** Lanes that the group has given to this process, and that it does not hold. */
  readonly unclaimed: number;
  readonly inWork: number;
  readonly windows: ReadonlyMap<RunWindow['state'], number>;
  /** How far behind now the moment is up to which everything is published; undefined without lanes. */
  readonly behindMs: number | undefined;
  /** Since when the window that has failed for longest has done so. */
  readonly oldestFailureMs: number;
}

const STATES: readonly RunWindow['state'][] = ['planned', 'submitted', 'publishing', 'done', 'failed', 'split'];

/** Up to the six hours after which a job is given up. */
const JOB_SECONDS = [1, 5, 15, 30, 60, 120, 300, 900, 3600, 21_600];
const POLL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface RunMetrics extends JobWatcher {
  onWindow(line: RunWindow): void;
}

/** `started`: the run, once it is there. */
export function createRunMetrics(
  metrics: Metrics,
  started: { readonly run?: { readonly figures: RunFigures } },
): RunMetrics {
  const figure = (name: string, help: string, of: (figures: RunFigures) => number | undefined) =>
    metrics.gauge(name, help, [], (gauge) => {
      const value = started.run && of(started.run.figures);
      if (value === undefined) gauge.remove();
      else gauge.set(value);
    });
  figure('run_lanes', 'Lanes in hand.', ({ lanes }) => lanes);
  figure(
    'run_lanes_unclaimed',
    'Lanes that were given to this process and are not in hand; above 0 for long, they cannot be claimed.',
    ({ unclaimed }) => unclaimed,
  );
  figure('run_windows_in_work', 'Windows in work, each with a job of its own.', ({ inWork }) => inWork);
  figure(
    'run_behind_seconds',
    'How far behind now the moment is up to which all windows of the lanes in hand are published.',
    ({ behindMs }) => (behindMs === undefined ? undefined : behindMs / 1000),
  );
  figure(
    'run_oldest_failure_seconds',
    'For how long the window that has failed for longest has done so; 0 where none has.',
    ({ oldestFailureMs }) => oldestFailureMs / 1000,
  );
  metrics.gauge('run_windows', 'Windows of the lanes in hand, by state.', ['state'], (gauge) => {
    for (const state of STATES) gauge.set({ state }, started.run?.figures.windows.get(state) ?? 0);
  });
  const readings = metrics.counter('run_readings_total', 'Readings of windows that ended, by how.', [
    'reading',
    'state',
  ]);
  const reread = metrics.counter('run_reread_records_total', 'Records of windows that were read again, by outcome.', [
    'outcome',
  ]);
  const polls = metrics.histogram(
    'run_poll_seconds',
    'Time of one question about a job, waits for the budget included, by what it was.',
    POLL_SECONDS,
    ['state'],
  );
  const jobs = metrics.histogram(
    'run_job_seconds',
    'From the submission of a job until it is known to have ended, by how.',
    JOB_SECONDS,
    ['state'],
  );
  return {
    onPoll: (seconds, state) => polls.observe({ state }, seconds),
    onJobEnded: (seconds, state) => jobs.observe({ state }, seconds),
    onWindow: ({ reading, state, counts }) => {
      readings.inc({ reading: reading > 1 ? 'again' : 'first', state });
      if (reading === 1) return;
      reread.inc({ outcome: 'published' }, counts.published);
      reread.inc({ outcome: 'unchanged' }, counts.unchanged);
      reread.inc({ outcome: 'invalid' }, counts.invalid);
      reread.inc({ outcome: 'stale' }, counts.stale ?? 0);
    },
  };
}
