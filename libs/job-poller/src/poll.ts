import { backoffMs, systemClock, type BackoffOptions, type Clock } from '@genesys-kafka/resilience';
import { jobEnded, jobStillRunning } from './errors.ts';

/** What Genesys says of a job, both contracts alike. */
export type JobStatus =
  | { readonly state: 'pending'; readonly retryAfterMs?: number }
  | DoneStatus
  | { readonly state: 'failed' | 'cancelled' | 'expired'; readonly message?: string };

export interface DoneStatus {
  readonly state: 'done';
  /** `bulk-archive` only: the signed link to the archive. */
  readonly resultsUrl?: string;
}

interface JobStatusApi {
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
}

interface PollOptions {
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Uniform in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Each poll costs request budget, jobs take seconds to minutes (docs/genesys-cloud.md, "Details jobs"): 2 s, ×1.5, at
 * most 30 s, +0–1 s.
 */
const POLLING: BackoffOptions = { initialMs: 2000, factor: 1.5, maxMs: 30_000, jitterMs: 1000 };
/** The longest total wait. */
const MAX_WAIT_MS = 6 * 60 * 60 * 1000;

/**
 * Polls, at once and then with growing waits, until the job is done. A wait that Genesys names replaces ours.
 * Rejects with a JobError: `job-failed`, `job-cancelled` or `job-expired` when the job ended without results,
 * `job-still-running` after six hours; or with the api's own error (it has done its retries by then), or the
 * signal's reason. An abort leaves the job running.
 */
export async function pollUntilDone(api: JobStatusApi, jobId: string, options: PollOptions): Promise<DoneStatus> {
  const { signal, clock = systemClock, random = Math.random } = options;
  const startMs = clock.monotonicMs();
  for (let attempt = 0; ; attempt += 1) {
    const status = await api.status(jobId, signal);
    const waitedMs = clock.monotonicMs() - startMs;
    if (status.state === 'done') return status;
    if (status.state !== 'pending') throw jobEnded(status.state, jobId, status.message);
    if (waitedMs >= MAX_WAIT_MS) throw jobStillRunning(jobId, waitedMs);
    const waitMs =
      status.retryAfterMs === undefined
        ? backoffMs(POLLING, attempt, random)
        : status.retryAfterMs + random() * POLLING.jitterMs;
    await clock.sleep(Math.min(waitMs, MAX_WAIT_MS - waitedMs), signal);
  }
}
