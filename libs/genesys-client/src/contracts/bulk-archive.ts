import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { answerFacts, plainText, readJson } from '../answers.ts';
import { badAnswer } from '../call-errors.ts';
import { GenesysError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import type { Request } from '../request.ts';
import { goneIfUnknown, jobSegment, NewJobs, SUBMIT, unfinished, type JobStatus } from './job.ts';

/** The contract `bulk-archive` (docs/genesys-cloud.md, "Bulk archives"): results come as a signed link to a ZIP. */
export interface BulkArchiveApi {
  /** Submits the query, its dates included. A lost answer may leave an orphan job behind, which costs budget only. */
  submit(query: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<{ jobId: string }>;
  /** A done job always has its `resultsUrl`; asking again gives a fresh link. Rejects with `job-gone`. */
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
  /** Resolves where jobs can be asked for: asks for one that nobody has, once, and is told so. */
  tryStatus(signal: AbortSignal): Promise<void>;
}

const SUBMIT_PERMISSION = 'analytics:conversation:view and job:manage';
const STATUS = {
  operation: 'bulk-archive status',
  permission: 'job:view and job:manage',
  method: 'GET',
} as const;
/** Nobody's. */
const NO_JOB = '00000000-0000-0000-0000-000000000000';

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
      const { operation } = STATUS;
      const path = `/api/v2/jobs/${jobSegment(jobId, { operation, host: ports.host })}`;
      const again = jobs.again('status', jobId);
      const { call, answer } = await ports.request({ ...STATUS, path, again, refused: goneIfUnknown(jobId) }, signal);
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

    async tryStatus(signal) {
      try {
        await ports.request({ ...STATUS, path: `/api/v2/jobs/${NO_JOB}`, refused: goneIfUnknown(NO_JOB) }, signal);
      } catch (error) {
        // That nobody knows this job is the answer of an API that lets us look at jobs.
        if (!(error instanceof GenesysError && error.code === 'job-gone')) throw error;
      }
    },
  };
}
