import type { Archive } from '@genesys-kafka/archive';
import type { GenesysClient } from '@genesys-kafka/genesys-client';
import type { DoneStatus, JobStatus, Window } from '@genesys-kafka/job-poller';
import { ProducerError } from '../errors.ts';

export type Query = Readonly<Record<string, unknown>>;

/** A job's results, once it is done. */
export type Results =
  /** One page as its original bytes; the first has no cursor. */
  | { readonly kind: 'pages'; readonly fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<Buffer> }
  | { readonly kind: 'archive'; readonly archive: Archive; readonly size: number };

/** What differs between the ways in which Genesys hands out results. */
export interface JobContract {
  readonly name: 'details-jobs' | 'bulk-archive';
  submit(window: Window, signal: AbortSignal): Promise<string>;
  status(jobId: string, signal: AbortSignal): Promise<JobStatus>;
  results(jobId: string, status: DoneStatus, signal: AbortSignal): Promise<Results>;
  /** The window has ended: what was kept of the job's results may go. */
  release(jobId: string): Promise<void>;
  /** Until when data is complete; undefined where the contract cannot tell. */
  availableUntil(signal: AbortSignal): Promise<Date | undefined>;
  /** The same, asked of Genesys in any case: rejects while it does not answer, or refuses our login. */
  ask(signal: AbortSignal): Promise<Date | undefined>;
}

/** Fetches and verifies the archive that `link` leads to; asks for the link anew when it has expired. */
interface ArchiveSpool {
  fetch(jobId: string, link: () => Promise<string>, signal: AbortSignal): Promise<Archive>;
  release(jobId: string): Promise<void>;
}

/** The contract of that name. Raises `query-size`. */
export function jobContract(
  name: JobContract['name'],
  client: GenesysClient,
  query: Query,
  { spool, pageSize }: { readonly spool: ArchiveSpool; readonly pageSize: number },
): JobContract {
  return name === 'details-jobs' ? detailsJobs(client, query, pageSize) : bulkArchive(client, query, spool);
}

/** The pages of `…/details/jobs`: docs/genesys-cloud.md, "Details jobs". */
function detailsJobs(client: GenesysClient, query: Query, pageSize: number): JobContract {
  return {
    name: 'details-jobs',
    submit: async (window, signal) => {
      const interval = `${window.from.toISOString()}/${window.to.toISOString()}`;
      return (await client.detailsJobs.submit({ ...query, interval }, signal)).jobId;
    },
    status: (jobId, signal) => client.detailsJobs.status(jobId, signal),
    results: async (jobId) => ({
      kind: 'pages',
      fetchPage: (cursor, signal) =>
        client.detailsJobs.page(jobId, { pageSize, ...(cursor === undefined ? {} : { cursor }) }, signal),
    }),
    release: async () => undefined,
    availableUntil: (signal) => client.availability(signal),
    ask: (signal) => client.availability(signal),
  };
}

/** Archives of exactly this many records count as truncated, unless the query names another `size`. */
const DEFAULT_SIZE = 10_000;

/** The ZIP behind a signed link: docs/genesys-cloud.md, "Bulk archives". @internal */
export function bulkArchive(client: GenesysClient, query: Query, spool: ArchiveSpool): JobContract {
  const size = sizeOf(query);
  return {
    name: 'bulk-archive',
    submit: async (window, signal) => {
      const interval = { dateFrom: window.from.toISOString(), dateTo: window.to.toISOString() };
      return (await client.bulkArchive.submit({ ...query, ...interval, size }, signal)).jobId;
    },
    status: (jobId, signal) => client.bulkArchive.status(jobId, signal),
    results: async (jobId, status, signal) => {
      let first: DoneStatus | undefined = status;
      const link = async () => {
        const done = first ?? (await client.bulkArchive.status(jobId, signal));
        first = undefined;
        return linkOf(jobId, done);
      };
      return { kind: 'archive', size, archive: await spool.fetch(jobId, link, signal) };
    },
    release: (jobId) => spool.release(jobId),
    availableUntil: async () => undefined,
    ask: async (signal) => {
      await client.bulkArchive.tryStatus(signal);
      return undefined;
    },
  };
}

/**
 * Records of an archive at which it counts as cut off. A size that cannot be read would be replaced without a word, or
 * never be reached: raises `query-size`.
 */
export function sizeOf({ size = DEFAULT_SIZE }: Query): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size > 0) return size;
  throw new ProducerError('query-size', `The query has the size ${JSON.stringify(size)}.`);
}

function linkOf(jobId: string, status: JobStatus): string {
  if (status.state === 'done' && status.resultsUrl !== undefined) return status.resultsUrl;
  const what = `Job ${jobId} is ${status.state} and gives no link to its archive.`;
  throw new ProducerError('no-results-link', what, { details: { jobId, state: status.state } });
}
