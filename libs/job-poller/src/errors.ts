import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library. */
export const JOB_ERRORS = {
  'bad-interval': {
    meaning: 'The interval cannot be cut into windows: it is empty, reversed, or makes more of them than anyone means.',
    remedy: 'The start must lie before the end, and a larger window makes fewer pieces.',
    scope: 'usage',
  },
  'job-failed': {
    meaning: 'Genesys ended the job without results.',
    remedy: 'Run the same command again for a new job; if it fails again, use smaller windows or check the query.',
    scope: 'source',
  },
  'job-cancelled': {
    meaning: 'Genesys ended the job because it was deleted.',
    remedy: "Somebody deleted it, or the organisation's job limit did. Run the same command again for a new job.",
    scope: 'source',
  },
  'job-expired': {
    meaning: 'The job is too old.',
    remedy: 'Genesys no longer keeps its results. Run the same command again for a new job.',
    scope: 'source',
  },
  'job-still-running': {
    meaning: 'The job was still running when the longest wait was over; nothing is lost.',
    remedy: 'It keeps running at Genesys: the same command again waits for this job instead of starting another.',
    retry: true,
    scope: 'source',
  },
} as const satisfies ErrorTable;

/** A job that brings no results, or an interval that none can be asked for. */
export class JobError extends errorsOf(JOB_ERRORS) {}

/** Genesys ended the job; `reason` is its own word for why. */
export function jobEnded(
  state: 'failed' | 'cancelled' | 'expired',
  jobId: string,
  reason: string | undefined,
): JobError {
  const ending = { failed: 'failed', cancelled: 'was cancelled', expired: 'has expired' }[state];
  const what = `Genesys job ${jobId} ${ending}${reason === undefined ? ' without a reason.' : `: ${reason}.`}`;
  return new JobError(`job-${state}`, what, { details: { jobId } });
}

export function jobStillRunning(jobId: string, waitedMs: number): JobError {
  const minutes = Math.round(waitedMs / 60_000);
  return new JobError(
    'job-still-running',
    `Genesys job ${jobId} is still running after ${minutes} minutes of waiting.`,
    {
      details: { jobId },
    },
  );
}
