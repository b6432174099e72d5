import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { answerFacts, plainText, readJson } from './answers.ts';
import { BadAnswerError, CursorRefusedError, JobGoneError, type CallFacts } from './errors.ts';
import type { OnEvent } from './events.ts';
import { goneIfUnknown, jobSegment, submitAnswer, unfinished, type JobStatus } from './job.ts';
import type { Request } from './request.ts';

/** The contract `details-jobs` (genesys-api.md 1.1): results come as pages that follow a cursor. */
export interface DetailsJobsApi {
  /**
   * Submits the query (`interval` included). Its answer may be lost and the submit repeated: the first job is then an
   * orphan that costs budget only.
   */
  submit(query: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<{ jobId: string }>;
  /** Rejects with `JobGoneError` when Genesys no longer knows the job. */
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
  /**
   * One page, whole, as its original bytes (content-encoding undone), at most `maxPageBytes`. The first page has no
   * cursor. Rejects with `CursorRefusedError` or `JobGoneError` when a new job is needed.
   */
  page(
    jobId: string,
    at: { readonly cursor?: string | undefined; readonly pageSize: number },
    signal: AbortSignal,
  ): Promise<Buffer>;
  /** Deletes the job; one that is already gone counts as deleted. */
  cancel(jobId: string, signal: AbortSignal): Promise<void>;
}

export interface AvailabilityApi {
  /** `jobs/availability`: data before it is complete. A job that reaches past it silently misses its tail. */
  readonly availability: (signal: AbortSignal) => Promise<Date>;
}

const BASE = '/api/v2/analytics/conversations/details/jobs';
const PERMISSION = 'analytics:conversationDetail:view';
/** Of the public clients; Genesys names no limit (genesys-api.md 1.1, "Paging"). */
const MAX_PAGE_SIZE = 1000;

const STATES = new Map([
  ['QUEUED', 'pending'],
  ['PENDING', 'pending'],
  ['FULFILLED', 'done'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'cancelled'],
  ['EXPIRED', 'expired'],
] as const);

// Without an offset it would be read as local time; Genesys means UTC.
const instant = z.iso
  .datetime({ offset: true, local: true })
  .transform((text) => new Date(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`));
const availabilityAnswer = z.object({ dataAvailabilityDate: instant });
const statusAnswer = z.object({
  state: z.string(),
  errorMessage: z.string().nullish(),
  // Of use, not of need: an odd spelling must not fail a job that is done.
  expirationDate: instant.optional().catch(undefined),
});

export function detailsJobsApi(ports: {
  readonly request: Request;
  readonly maxPageBytes: number;
  readonly host: string;
  readonly clock: Clock;
  readonly onEvent: OnEvent;
}): DetailsJobsApi & AvailabilityApi {
  const spec = (verb: string) => ({ operation: `details-jobs ${verb}`, permission: PERMISSION });
  const jobPath = (jobId: string, operation: string) => `${BASE}/${jobSegment(jobId, { operation, host: ports.host })}`;

  return {
    async availability(signal) {
      const get = { ...spec('availability'), method: 'GET', path: `${BASE}/availability` } as const;
      const { call, answer } = await ports.request(get, signal);
      return readJson(call, answer, availabilityAnswer).dataAvailabilityDate;
    },

    async submit(query, signal) {
      const post = { ...spec('submit'), method: 'POST', path: BASE, json: query } as const;
      const { call, answer } = await ports.request(post, signal);
      return { jobId: readJson(call, answer, submitAnswer).jobId };
    },

    async status(jobId, signal) {
      const path = jobPath(jobId, 'details-jobs status');
      const get = { ...spec('status'), method: 'GET', path, refused: goneIfUnknown(jobId) } as const;
      const { call, answer } = await ports.request(get, signal);
      const { state: word, errorMessage, expirationDate } = readJson(call, answer, statusAnswer);
      const state = (STATES as ReadonlyMap<string, JobStatus['state']>).get(word);
      if (state === 'done') return { state, ...(expirationDate === undefined ? {} : { expiresAt: expirationDate }) };
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
          ? new CursorRefusedError(facts, jobId, reason)
          : goneIfUnknown(jobId)(status, reason, facts);
      const get = { ...spec('page'), method: 'GET', path, maxBytes: ports.maxPageBytes, refused } as const;
      const { call, answer } = await ports.request(get, signal);
      if (answer.status !== 200 || !startsAsObject(answer.body)) {
        throw new BadAnswerError(answerFacts(call, answer), 'it is no results page (a JSON object with status 200)');
      }
      return answer.body;
    },

    async cancel(jobId, signal) {
      const path = jobPath(jobId, 'details-jobs cancel');
      try {
        // Here a 400 is a refusal to delete, not a job that is gone.
        const refused = (status: number, reason: string, facts: CallFacts) =>
          status === 400 ? undefined : goneIfUnknown(jobId)(status, reason, facts);
        const remove = { ...spec('cancel'), method: 'DELETE', path, refused } as const;
        await ports.request(remove, signal);
      } catch (error) {
        if (!(error instanceof JobGoneError)) throw error;
      }
    },
  };
}

/** Cheap proof that a page is JSON at all; what is in it is the parser's business. */
function startsAsObject(body: Buffer): boolean {
  return /^\uFEFF?\s*\{/.test(body.toString('utf8', 0, 64));
}
