import { retryAfterOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { plainText } from '../answers.ts';
import { jobGone, type CallFacts } from '../call-errors.ts';
import type { GenesysError } from '../errors.ts';
import type { Answer } from '../exchange.ts';

/** What Genesys says of a job, both contracts alike. */
export type JobStatus =
  | {
      readonly state: 'pending';
      /** The wait that Genesys named with this answer. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly state: 'done';
      /** `bulk-archive` only: the signed link to the archive. A secret: never logged. */
      readonly resultsUrl?: string;
    }
  | { readonly state: 'failed' | 'cancelled' | 'expired'; readonly message?: string };

/** Job ids are Genesys' words put into our paths: a plain word, or refused. */
const JOB_ID = /^(?!\.{1,2}$)[\w.~:-]{1,256}$/;

/** The answer to a submit, in both contracts. */
export const SUBMIT_ANSWER = z.object({ jobId: z.string().regex(JOB_ID) });

/** The id as a path segment. An id that never came from Genesys is as good as gone. */
export function jobSegment(jobId: string, facts: CallFacts): string {
  if (!JOB_ID.test(jobId)) throw jobGone(facts, plainText(jobId), 'not a job id, not asked');
  return encodeURIComponent(jobId);
}

/** The statuses by which Genesys says that it does not know the job. */
export function goneIfUnknown(
  jobId: string,
): (status: number, reason: string, facts: CallFacts) => GenesysError | undefined {
  return (status, reason, facts) =>
    [400, 404, 410].includes(status) ? jobGone(facts, jobId, `${status}, ${reason}`) : undefined;
}

/** The status of a job that is not done. A state that nobody knows counts as pending: the poller's longest wait bounds it. */
export function unfinished(
  state: 'pending' | 'failed' | 'cancelled' | 'expired' | undefined,
  message: string | null | undefined,
  answer: Answer,
  clock: Clock,
): JobStatus {
  if (state !== undefined && state !== 'pending') return { state, ...(message ? { message: plainText(message) } : {}) };
  const waitMs = retryAfterOf(answer.headers, clock.nowMs());
  return { state: 'pending', ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
