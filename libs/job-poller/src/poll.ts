import { backoffMs, systemClock, type BackoffOptions, type Clock } from '@genesys-kafka/resilience';
import { JobEndedError, JobStillRunningError } from './errors.ts';

/** What Genesys says of a job, both contracts alike. */
export type JobStatus =
  | { readonly state: 'pending'; readonly retryAfterMs?: number }
  | DoneStatus
  | { readonly state: 'failed' | 'cancelled' | 'expired'; readonly message?: string };

export interface DoneStatus {
  readonly state: 'done';
  /** `bulk-archive` only: the signed link to the archive. */
  readonly resultsUrl?: string;
  readonly expiresAt?: Date;
}

export interface JobStatusApi {
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
}

export interface PollOptions {
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Uniform in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  /** The longest total wait in milliseconds; default 6 hours. */
  readonly maxWaitMs?: number;
  /** Told after each answer, before the wait that follows a pending one. */
  readonly onPoll?: (poll: { readonly attempt: number; readonly waitedMs: number; readonly status: JobStatus }) => void;
}

/** Each poll costs request budget, jobs take seconds to minutes (genesys-api.md 1.1): 2 s, ×1.5, at most 30 s, +0–1 s. */
const POLLING: BackoffOptions = { initialMs: 2000, factor: 1.5, maxMs: 30_000, jitterMs: 1000 };
const DEFAULT_MAX_WAIT_MS = 6 * 60 * 60 * 1000;

/**
 * Polls, at once and then with growing waits, until the job is done. A wait that Genesys names replaces ours.
 * Rejects with `JobEndedError` when the job ended without results, `JobStillRunningError` when `maxWaitMs` is over,
 * the api's own error (it has done its retries by then), or the signal's reason. An abort leaves the job running.
 */
export async function pollUntilDone(api: JobStatusApi, jobId: string, options: PollOptions): Promise<DoneStatus> {
  const { signal, clock = systemClock, random = Math.random, maxWaitMs = DEFAULT_MAX_WAIT_MS } = options;
  const startMs = clock.monotonicMs();
  for (let attempt = 0; ; attempt += 1) {
    const status = await api.status(jobId, signal);
    const waitedMs = clock.monotonicMs() - startMs;
    options.onPoll?.({ attempt, waitedMs, status });
    if (status.state === 'done') return status;
    if (status.state !== 'pending') throw new JobEndedError(status.state, jobId, status.message);
    if (waitedMs >= maxWaitMs) throw new JobStillRunningError(jobId, waitedMs);
    const waitMs =
      status.retryAfterMs === undefined
        ? backoffMs(POLLING, attempt, random)
        : status.retryAfterMs + random() * POLLING.jitterMs;
    await clock.sleep(Math.min(waitMs, maxWaitMs - waitedMs), signal);
  }
}
