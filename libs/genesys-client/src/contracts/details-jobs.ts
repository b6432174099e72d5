import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { answerFacts, plainText, readJson } from '../answers.ts';
import { badAnswer, callError, type CallFacts } from '../call-errors.ts';
import type { GenesysError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { readInstant } from '../instant.ts';
import type { Request } from '../request.ts';
import { goneIfUnknown, jobSegment, NewJobs, SUBMIT, unfinished, type JobStatus } from './job.ts';

/** The contract `details-jobs` (docs/genesys-cloud.md, "Details jobs"): results come as pages that follow a cursor. */
export interface DetailsJobsApi {
  /**
   * Submits the query (`interval` included). Its answer may be lost and the submit repeated: the first job is then an
   * orphan that costs budget only.
   */
  submit(query: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<{ jobId: string }>;
  /** Rejects with `job-gone` when Genesys no longer knows the job. */
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
  /**
   * One page, whole, as its original bytes (content-encoding undone), at most `maxPageBytes`. The first page has no
   * cursor. Rejects with `cursor-refused` or `job-gone` when a new job is needed.
   */
  page(
    jobId: string,
    at: { readonly cursor?: string | undefined; readonly pageSize: number },
    signal: AbortSignal,
  ): Promise<Buffer>;
}

export interface AvailabilityApi {
  /** `jobs/availability`: data before it is complete. A job that reaches past it silently misses its tail. */
  readonly availability: (signal: AbortSignal) => Promise<Date>;
}

const BASE = '/api/v2/analytics/conversations/details/jobs';
const PERMISSION = 'analytics:conversationDetail:view';
/** Of the public clients; Genesys names no limit (docs/genesys-cloud.md, "Details jobs"). */
const MAX_PAGE_SIZE = 1000;

const STATES = new Map([
  ['QUEUED', 'pending'],
  ['PENDING', 'pending'],
  ['FULFILLED', 'done'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'cancelled'],
  ['EXPIRED', 'expired'],
] as const);

const AVAILABILITY_ANSWER = z.object({
  dataAvailabilityDate: z.unknown().transform((value, context) => {
    const instant = readInstant(value);
    if (instant === undefined) context.addIssue('is no date and time');
    return instant ?? z.NEVER;
  }),
});
const STATUS_ANSWER = z.object({ state: z.string(), errorMessage: z.string().nullish() });

export function detailsJobsApi(ports: {
  readonly request: Request;
  readonly maxPageBytes: number;
  readonly host: string;
  readonly clock: Clock;
  readonly onEvent: OnEvent;
}): DetailsJobsApi & AvailabilityApi {
  const spec = (verb: string) => ({ operation: `details-jobs ${verb}`, permission: PERMISSION });
  const jobs = new NewJobs();
  const jobPath = (jobId: string, operation: string) => `${BASE}/${jobSegment(jobId, { operation, host: ports.host })}`;

  return {
    async availability(signal) {
      const get = { ...spec('availability'), method: 'GET', path: `${BASE}/availability` } as const;
      const { call, answer } = await ports.request(get, signal);
      return readJson(call, answer, AVAILABILITY_ANSWER).dataAvailabilityDate;
    },

    async submit(query, signal) {
      const post = { ...spec('submit'), method: 'POST', path: BASE, json: query, ...SUBMIT } as const;
      const { call, answer } = await ports.request(post, signal);
      return jobs.submitted(call, answer);
    },

    async status(jobId, signal) {
      const path = jobPath(jobId, 'details-jobs status');
      const again = jobs.again('status', jobId);
      const get = { ...spec('status'), method: 'GET', path, again, refused: goneIfUnknown(jobId) } as const;
      const { call, answer } = await ports.request(get, signal);
      jobs.seen('status', jobId, call, answer);
      const { state: word, errorMessage } = readJson(call, answer, STATUS_ANSWER);
      const state = (STATES as ReadonlyMap<string, JobStatus['state']>).get(word);
      if (state === 'done') return { state };
      if (state === undefined) {
        ports.onEvent({ type: 'unknown-job-state', operation: call.operation, state: plainText(word) });
      }
      return unfinished(state, errorMessage, answer, ports.clock);
    },

    async page(jobId, { cursor, pageSize }, signal) {
      if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
        throw new RangeError(`pageSize must be 1 to ${MAX_PAGE_SIZE}`);
      }
      const query = new URLSearchParams({ ...(cursor === undefined ? {} : { cursor }), pageSize: String(pageSize) });
      const path = `${jobPath(jobId, 'details-jobs page')}/results?${query.toString()}`;
      const refused = (status: number, reason: string, facts: CallFacts) =>
        status === 400 && cursor !== undefined
          ? cursorRefused(facts, jobId, reason)
          : goneIfUnknown(jobId)(status, reason, facts);
      const again = jobs.again('page', jobId);
      const get = { ...spec('page'), method: 'GET', path, maxBytes: ports.maxPageBytes, again, refused } as const;
      const { call, answer } = await ports.request(get, signal);
      jobs.seen('page', jobId, call, answer);
      if (answer.status !== 200 || !startsAsObject(answer.body)) {
        throw badAnswer(answerFacts(call, answer), 'it is no results page (a JSON object with status 200)');
      }
      return answer.body;
    },
  };
}

function cursorRefused(facts: CallFacts, jobId: string, reason: string): GenesysError {
  const what = `Genesys refused the saved position in the results of job ${jobId} (400, ${reason}).`;
  return callError('cursor-refused', { ...facts, jobId }, what);
}

/** Cheap proof that a page is JSON at all; what is in it is the parser's business. */
function startsAsObject(body: Buffer): boolean {
  return /^\uFEFF?\s*\{/.test(body.toString('utf8', 0, 64));
}
