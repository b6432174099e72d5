import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { select } from '../conversations/selection.ts';
import { faultOf } from '../faults/fault-hooks.ts';
import type { JobLimits } from '../limits/job-limits.ts';
import type { Organisation } from '../living/organisation.ts';
import { bearerToken } from './api-hooks.ts';
import type { ArchiveJobs } from './archive-jobs.ts';
import { ApiError } from './error-body.ts';
import { compileFilters, FILTER } from './filters.ts';
import { orderedInterval } from './interval.ts';
import { parseBody } from './parse-body.ts';

export interface BulkRoutesOptions {
  readonly organisation: Organisation;
  readonly jobs: ArchiveJobs;
  readonly limits: JobLimits;
  readonly availableMs: () => number;
  /** A fresh signed link to the job's object. */
  readonly link: (jobId: string) => string;
}

const DEFAULT_SIZE = 10_000;

/** `groupBy` and `aggregations` belong to the contract's body and change nothing about the records in the archive. */
const QUERY = z.object({
  dateFrom: z.unknown().optional(),
  dateTo: z.unknown().optional(),
  groupBy: z.array(z.unknown()).optional(),
  aggregations: z.array(z.unknown()).optional(),
  filter: FILTER.optional(),
  sort: z
    .union([z.string(), z.array(z.looseObject({ order: z.string().optional(), direction: z.string().optional() }))])
    .optional(),
  size: z.int().min(1).default(DEFAULT_SIZE),
});

/** The bulk-archive contract: a query, a job, a signed link to a ZIP on the files host. */
export function addBulkArchiveRoutes(server: FastifyInstance, options: BulkRoutesOptions): void {
  const { jobs } = options;
  const submit = { operation: 'submit' as const, anyPermissionOf: ['analytics:conversation:view'] };

  server.post('/api/v2/analytics/conversations/details/query', { config: submit }, (request, reply) => {
    const query = parseBody(QUERY, request.body);
    const interval = orderedInterval(query.dateFrom, query.dateTo, `${String(query.dateFrom)}/${String(query.dateTo)}`);
    options.limits.admit(bearerToken(request));
    const availableMs = options.availableMs();
    const conversations = options.organisation.asOf(availableMs);
    const indexes = select(conversations, {
      ...interval,
      matching: 'start',
      availableMs,
      limit: query.size,
      order: isDescending(query.sort) ? 'desc' : 'asc',
      accepts: query.filter ? compileFilters([query.filter], conversations) : undefined,
    });
    // The watermark cuts only an interval that reaches past it: a settled one is the same archive every time.
    const cutMs = Math.min(availableMs, interval.toMs);
    const { edition } = conversations;
    const key = JSON.stringify([interval.fromMs, cutMs, query.size, query.filter, query.sort, edition]);
    const job = jobs.submit({ key, conversations, indexes });
    return reply.code(202).send({ jobId: job.id });
  });

  const status = { operation: 'status' as const, anyPermissionOf: ['job:view', 'job:manage'] };
  server.get<{ Params: { jobId: string } }>('/api/v2/jobs/:jobId', { config: status }, (request) => {
    const job = jobs.find(request.params.jobId);
    if (!job) throw new ApiError(404, 'not.found', `Unable to find a job with id [${request.params.jobId}].`);
    const forced = faultOf(request, 'job');
    if (forced) job.failure = forced.message ?? 'The export failed.';
    const state = jobs.state(job);
    return {
      jobId: job.id,
      status: state,
      ...(state === 'COMPLETED' ? { resultsUrl: options.link(job.id) } : {}),
      ...(job.failure === undefined ? {} : { message: job.failure }),
    };
  });
}

function isDescending(sort: z.output<typeof QUERY>['sort']): boolean {
  if (sort === undefined) return false;
  if (typeof sort === 'string') return /desc/i.test(sort);
  return sort.some((entry) => /^desc/i.test(entry.order ?? entry.direction ?? ''));
}
