import { pollUntilDone, type Window } from '@genesys-kafka/job-poller';
import type { LedgerEntry } from '@genesys-kafka/ledger';
import { availabilityUnreadable, notYetAvailable, sourceGone, truncatedBySize, type ProducerError } from '../errors.ts';
import type { JobContract } from '../genesys/job-contract.ts';
import { publishArchive } from '../pipeline/publish-archive.ts';
import { publishPages } from '../pipeline/publish-pages.ts';
import type { SourcePublisher } from '../pipeline/source-publisher.ts';
import type { Reading } from '../pipeline/stages.ts';
import type { ExportLane } from './export-lane.ts';

/** A window's job and where its records go. */
export interface WindowJob {
  /** See `ExportLane.takeSource`. */
  readonly takeSource: ExportLane['takeSource'];
  /** As `JobContract.availableUntil`: until when data is complete before a job is submitted. */
  readonly availableUntil: JobContract['availableUntil'];
  readonly contract: JobContract;
  readonly window: Window;
  readonly source: SourcePublisher;
}

/** The codes of a job that will not be heard of again. */
const GONE = new Set(['job-gone', 'cursor-refused', 'job-failed', 'job-cancelled', 'job-expired']);
/** Of those, a job that Genesys lost sight of, without a word that it has ended: only that is replaced in the same run. */
const LOST = new Set(['job-gone', 'cursor-refused']);
/** Jobs that one run asks for, for one window. */
const MAX_SUBMITS = 3;

/**
 * One window from wherever the ledger says it stands to its end: submits a job or attaches to the one in the ledger,
 * waits for it, publishes its records. Resolves and rejects as `ExportLane.run` does.
 */
export async function runWindow(
  lane: ExportLane,
  contract: JobContract,
  window: Window,
  reading: Reading,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  const takeSource: ExportLane['takeSource'] = (id, name) => lane.takeSource(id, name);
  const availableUntil: JobContract['availableUntil'] = (asking) => contract.availableUntil(asking);
  const read = async (source: SourcePublisher) =>
    readJob({ takeSource, availableUntil, contract, window, source }, reading, signal);
  const ended = await lane.run(window.id, undefined, read, signal);
  if (ended.source) await contract.release(ended.source.id);
  return ended;
}

/**
 * Reads the ledger's job, or a new one where there is none or where it is lost before anything of it was published.
 * Resolves with what makes its results less than whole, if anything does.
 */
export async function readJob(
  job: WindowJob,
  reading: Reading,
  signal: AbortSignal,
): Promise<ProducerError | undefined> {
  let needsNew = job.source.entry.source === undefined;
  for (let submits = 0; ;) {
    try {
      if (needsNew) {
        await submit(job, signal);
        submits += 1;
        needsNew = false;
      }
      return await readResults(job, reading, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { code = '' } = error as { readonly code?: string };
      // One that failed is asked for again by whoever runs the command, who sees why it did.
      const isLost = submits === 0 ? GONE.has(code) : LOST.has(code);
      if (!isLost || job.source.entry.counts.read > 0 || submits >= MAX_SUBMITS) throw error;
      needsNew = true;
    }
  }
}

async function readResults(job: WindowJob, reading: Reading, signal: AbortSignal): Promise<ProducerError | undefined> {
  const { contract, window, source } = job;
  const status = await heardOf(source, pollUntilDone(contract, source.id, { signal }));
  const results = await heardOf(source, contract.results(source.id, status, signal));
  if (results.kind === 'archive') {
    const most = source.mostBelow(results.size);
    const records = await publishArchive(results.archive, source, reading.stages, signal, most);
    // The contract cuts silently at `size`: a full archive is never taken for a whole one, nor one that heeds no size.
    return records >= results.size ? truncatedBySize(records) : undefined;
  }
  const { until, isUnreadable } = await heardOf(source, publishPages(results.fetchPage, source, reading.pages, signal));
  if (until !== undefined && new Date(until) < window.to) return notYetAvailable(window.id, new Date(until), true);
  return isUnreadable ? availabilityUnreadable(window.id) : undefined;
}

/** The id is committed before the first poll, so that a restart finds the job again instead of paying for another. */
async function submit(
  { takeSource, availableUntil, contract, window, source }: WindowJob,
  signal: AbortSignal,
): Promise<void> {
  const until = await availableUntil(signal);
  if (until && until < window.to) throw notYetAvailable(window.id, until);
  const jobId = await contract.submit(window, signal);
  takeSource(jobId, window.id);
  await source.begin({ id: jobId, jobId, submittedAt: new Date().toISOString() });
}

/** A job that is gone after some of its records were published cannot be replaced without publishing them again. */
async function heardOf<T>(source: SourcePublisher, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { code = '' } = error as { readonly code?: string };
    const { read } = source.entry.counts;
    throw read > 0 && GONE.has(code) ? sourceGone(source.id, read, error as Error) : error;
  }
}
