import { OperationalError } from '@genesys-kafka/resilience';

/** The interval cannot be cut into windows: empty, reversed, or into more pieces than anyone means. */
export class IntervalError extends OperationalError {
  constructor(message: string) {
    super('bad-interval', message, { scope: 'usage' });
  }
}

/** Genesys ended the job without results: its code is `job-failed`, `job-cancelled` or `job-expired`. */
export class JobEndedError extends OperationalError {
  constructor(state: 'failed' | 'cancelled' | 'expired', jobId: string, reason: string | undefined) {
    super(`job-${state}`, `Genesys job ${jobId} ${ENDINGS[state](reason)}`, { scope: 'source', details: { jobId } });
  }
}

const ENDINGS = {
  failed: (reason: string | undefined) =>
    `failed${reason === undefined ? ' without a reason' : `: ${reason}`}. ` +
    'Run the same command again for a new job; if it fails again, use smaller windows or check the query.',
  cancelled: (reason: string | undefined) =>
    `was cancelled${reason === undefined ? '' : `: ${reason}`} (somebody deleted it, or the organisation's job limit did). ` +
    'Run the same command again for a new job.',
  expired: (reason: string | undefined) =>
    `has expired${reason === undefined ? '' : `: ${reason}`}: Genesys no longer keeps its results. ` +
    'Run the same command again for a new job.',
};

/** The job was still running when the wait reached its limit. Nothing is lost: it goes on at Genesys. */
export class JobStillRunningError extends OperationalError {
  constructor(jobId: string, waitedMs: number) {
    super(
      'job-still-running',
      `Genesys job ${jobId} is still running after ${Math.round(waitedMs / 60_000)} minutes of waiting. ` +
        'It keeps running at Genesys: the same command again waits for this job instead of starting another.',
      { retry: true, scope: 'source', details: { jobId } },
    );
  }
}
