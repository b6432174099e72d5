import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { answerFacts, plainText, readJson } from '../answers.ts';
import { badAnswer } from '../call-errors.ts';
import type { OnEvent } from '../events.ts';
import type { Request } from '../request.ts';
import { goneIfUnknown, jobSegment, NewJobs, SUBMIT, unfinished, type JobStatus } from './job.ts';

/** The contract `bulk-archive` (docs/genesys-cloud.md, "Bulk archives"): results come as a signed link to a ZIP. */
export interface BulkArchiveApi {
  /** Submits the query, its dates included. A lost answer may leave an orphan job behind, which costs budget only. */
  submit(query: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<{ jobId: string }>;
  /** A done job always has its `resultsUrl`; asking again gives a fresh link. Rejects with `job-gone`. */
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
}

const SUBMIT_PERMISSION = 'analytics:conversation:view and job:manage';
const STATUS_PERMISSION = 'job:view and job:manage';

const STATES = new Map([
  ['QUEUED', 'pending'],
  ['IN_PROGRESS', 'pending'],
  ['COMPLETED', 'done'],
  ['FAILED', 'failed'],
  // Not in the guide, but the jobs of the other contract can end these ways too.
  ['CANCELLED', 'cancelled'],
  ['EXPIRED', 'expired'],
] as const);

const STATUS_ANSWER = z.object({
  status: z.string(),
  resultsUrl: z.url().nullish(),
  message: z.string().nullish(),
});

export function bulkArchiveApi(ports: {
  readonly request: Request;
  readonly host: string;
  readonly clock: Clock;
  readonly onEvent: OnEvent;
}): BulkArchiveApi {
  const jobs = new NewJobs();
  return {
    async submit(query, signal) {
      const post = {
        operation: 'bulk-archive submit',
        permission: SUBMIT_PERMISSION,
        method: 'POST',
        path: '/api/v2/analytics/conversations/details/query',
        json: query,
        ...SUBMIT,
      } as const;
      const { call, answer } = await ports.request(post, signal);
      return jobs.submitted(call, answer);
    },

    async status(jobId, signal) {
      const operation = 'bulk-archive status';
      const get = {
        operation,
        permission: STATUS_PERMISSION,
        method: 'GET',
        path: `/api/v2/jobs/${jobSegment(jobId, { operation, host: ports.host })}`,
        again: jobs.again('status', jobId),
        refused: goneIfUnknown(jobId),
      } as const;
      const { call, answer } = await ports.request(get, signal);
      jobs.seen('status', jobId, call, answer);
      const { status: word, resultsUrl, message } = readJson(call, answer, STATUS_ANSWER);
      const state = (STATES as ReadonlyMap<string, JobStatus['state']>).get(word);
      if (state === 'done') {
        if (!resultsUrl) throw badAnswer(answerFacts(call, answer), 'COMPLETED, but without resultsUrl');
        return { state, resultsUrl };
      }
      if (state === undefined) ports.onEvent({ type: 'unknown-job-state', operation, state: plainText(word) });
      return unfinished(state, message, answer, ports.clock);
    },
  };
}
