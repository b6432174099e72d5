import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { select } from '../conversations/selection.ts';
import { faultOf } from '../faults/fault-hooks.ts';
import type { JobLimits } from '../limits/job-limits.ts';
import type { Organisation } from '../living/organisation.ts';
import { bearerToken } from './api-hooks.ts';
import { readCursor } from './cursor.ts';
import type { Place } from './cursor.ts';
import type { DetailsJob, DetailsJobs, Found } from './details-jobs.ts';
import { ApiError } from './error-body.ts';
import { compileFilters, FILTER } from './filters.ts';
import { parseInterval } from './interval.ts';
import { parseBody } from './parse-body.ts';
import { resultsPage } from './results-page.ts';

export interface DetailsRoutesOptions {
  readonly organisation: Organisation;
  readonly jobs: DetailsJobs;
  readonly limits: JobLimits;
  /** The organisation's time, and its data lake's. */
  readonly nowMs: () => number;
  readonly availableMs: () => number;
  /** Results past so many are refused, or fail the job. */
  readonly maxResults: number | undefined;
  readonly maxResultsAt: 'page' | 'job';
  readonly shortShare: number;
  readonly seed: number;
}

const ROOT = '/api/v2/analytics/conversations/details/jobs';
const DETAIL_VIEW = 'analytics:conversationDetail:view';
const AGENT_VIEW = 'analytics:agentConversationDetail:view';
const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 100;
const FIRST: Place = { offset: 0, page: 0, wasEmpty: false };

/** Unknown members, `paging` among them, are passed over, as the platform does. */
const QUERY = z.object({
  interval: z.unknown().optional(),
  conversationFilters: z.array(FILTER).default([]),
  segmentFilters: z.array(FILTER).default([]),
  evaluationFilters: z.array(FILTER).default([]),
  surveyFilters: z.array(FILTER).default([]),
  resolutionFilters: z.array(FILTER).default([]),
  order: z.enum(['asc', 'desc', 'unordered']).default('asc'),
  orderBy: z.enum(['conversationStart', 'conversationEnd', 'segmentStart', 'segmentEnd']).default('conversationStart'),
  limit: z.int().min(1).optional(),
  startOfDayIntervalMatching: z.boolean().default(false),
});

type JobRequest = { Params: { jobId: string }; Querystring: { cursor?: string; pageSize?: string } };

/** The details-jobs contract: submit, status, results, availability, delete. */
export function addDetailsJobsRoutes(server: FastifyInstance, options: DetailsRoutesOptions): void {
  const { jobs, maxResults = Infinity } = options;
  const view = [DETAIL_VIEW, AGENT_VIEW];

  server.post(ROOT, { config: { operation: 'submit', anyPermissionOf: view } }, (request, reply) => {
    const found = find(parseBody(QUERY, request.body), bearerToken(request), options);
    const fails = options.maxResultsAt === 'job' && found.indexes.length > maxResults;
    const job = jobs.submit(found, fails ? tooManyResults(maxResults) : undefined);
    return reply.code(202).send({ jobId: job.id });
  });

  server.get(`${ROOT}/availability`, { config: { operation: 'availability', anyPermissionOf: [DETAIL_VIEW] } }, () => ({
    dataAvailabilityDate: new Date(options.availableMs()).toISOString(),
  }));

  server.get<JobRequest>(
    `${ROOT}/:jobId`,
    { config: { operation: 'status', anyPermissionOf: view } },
    (request, reply) => {
      const job = findJob(jobs, request.params.jobId);
      const forced = faultOf(request, 'job');
      if (forced) job.forced = { state: forced.state, message: forced.message };
      const status = jobs.status(job);
      // Both codes occur while a job is under way; clients must accept either.
      return reply.code(status.state === 'QUEUED' ? 202 : 200).send(status);
    },
  );

  server.get<JobRequest>(
    `${ROOT}/:jobId/results`,
    { config: { operation: 'results', anyPermissionOf: view } },
    (request, reply) => {
      const job = findJob(jobs, request.params.jobId);
      const forced = faultOf(request, 'job');
      if (forced) job.forced = { state: forced.state, message: forced.message };
      checkFulfilled(jobs, job);
      const place = placeOf(job, request.query.cursor);
      if (place.offset >= maxResults) throw new ApiError(400, 'bad.request', tooManyResults(maxResults));
      const page = resultsPage({
        job,
        place,
        maxResults,
        pageSize: parsePageSize(request.query.pageSize),
        seed: options.seed,
        shortShare: options.shortShare,
        emptyFault: faultOf(request, 'empty-page') !== undefined,
        shortFault: faultOf(request, 'short-page'),
        loopFault: faultOf(request, 'cursor-loop') !== undefined,
      });
      return reply.type('application/json').send(page);
    },
  );

  server.delete<JobRequest>(
    `${ROOT}/:jobId`,
    { config: { operation: 'cancel', anyPermissionOf: view } },
    (request, reply) => {
      findJob(jobs, request.params.jobId).forced = { state: 'CANCELLED', message: undefined };
      return reply.code(204).send();
    },
  );
}

function find(query: z.output<typeof QUERY>, token: string, options: DetailsRoutesOptions): Found {
  const interval = parseInterval(query.interval);
  const { evaluationFilters, surveyFilters, resolutionFilters } = query;
  if (evaluationFilters.length + surveyFilters.length + resolutionFilters.length > 0) {
    throw new ApiError(400, 'bad.request', 'The simulator has conversation filters and segment filters only.');
  }
  const availableMs = options.availableMs();
  const conversations = options.organisation.asOf(availableMs);
  const accepts = compileFilters([...query.conversationFilters, ...query.segmentFilters], conversations);
  options.limits.admit(token);
  const indexes = select(conversations, {
    ...interval,
    matching: query.startOfDayIntervalMatching ? 'start-day' : 'overlap',
    availableMs,
    limit: query.limit,
    order: query.order === 'desc' ? 'desc' : 'asc',
    orderBy: query.orderBy.endsWith('End') ? 'end' : 'start',
    accepts,
  });
  return { conversations, indexes, availableMs, atMs: options.nowMs() };
}

/** The platform's sentence for a result that is too large, with what it advises. */
function tooManyResults(maxResults: number): string {
  return `Pagination may not exceed ${maxResults} results. Tip: query in smaller intervals.`;
}

function findJob(jobs: DetailsJobs, id: string): DetailsJob {
  const job = jobs.find(id);
  if (!job) throw new ApiError(404, 'not.found', `Unable to find a job with id [${id}].`);
  return job;
}

/** The platform's codes for this case are not published: 404 once the results are gone, 409 while there are none. */
function checkFulfilled(jobs: DetailsJobs, job: DetailsJob): void {
  const state = jobs.state(job);
  if (state === 'FULFILLED') return;
  const status = state === 'EXPIRED' || state === 'CANCELLED' ? 404 : 409;
  throw new ApiError(status, status === 404 ? 'not.found' : 'conflict', `The job has no results: it is ${state}.`);
}

function placeOf(job: DetailsJob, cursor: string | undefined): Place {
  if (cursor === undefined) return FIRST;
  const place = readCursor(job.id, cursor);
  if (!place) throw new ApiError(400, 'bad.request', 'The cursor is not valid.');
  return place;
}

/** "Desired maximum": larger values are capped without a word. */
function parsePageSize(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PAGE_SIZE;
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) throw new ApiError(400, 'bad.request', `pageSize: [${text}] is not valid.`);
  return Math.min(size, MAX_PAGE_SIZE);
}
