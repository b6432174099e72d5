import { pollUntilDone, type DoneStatus, type Window } from '@genesys-kafka/job-poller';
import type { LedgerEntry } from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import { notYetAvailable, ProducerError, sourceGone } from '../errors.ts';
import type { JobContract } from '../genesys/job-contract.ts';
import { publishArchive, type ReadOptions } from '../pipeline/publish-archive.ts';
import { publishPages, type FetchPage } from '../pipeline/publish-pages.ts';
import type { SourcePublisher } from '../pipeline/source-publisher.ts';
import type { ExportLane } from './export-lane.ts';

/**
 * One window from wherever the ledger says it stands to its end: submits a job or attaches to the one in the ledger,
 * waits for it, publishes its records. Resolves with the window's last ledger entry, `rejected` and `partial` included;
 * rejects only for what ends the whole run.
 */
export async function runWindow(
  lane: ExportLane,
  contract: JobContract,
  window: Window,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  const { reading } = lane.context;
  const read = async (source: SourcePublisher) => new WindowJob(contract, window, source, reading).read(signal);
  const ended = await lane.run(window.id, undefined, read, signal);
  if (ended.source) await contract.release(ended.source.id);
  return ended;
}

/** The codes of a job that will not be heard of again. */
const GONE = new Set(['job-gone', 'cursor-refused', 'job-failed', 'job-cancelled', 'job-expired']);

class WindowJob {
  readonly #contract: JobContract;
  readonly #window: Window;
  readonly #source: SourcePublisher;
  readonly #reading: ReadOptions;

  constructor(contract: JobContract, window: Window, source: SourcePublisher, reading: ReadOptions) {
    this.#contract = contract;
    this.#window = window;
    this.#source = source;
    this.#reading = reading;
  }

  /** Publishes the job's records; resolves with what makes them less than the window's, if anything does. */
  async read(signal: AbortSignal): Promise<ProducerError | undefined> {
    const status = await this.#attach(signal);
    const results = await this.#guard(this.#contract.results(this.#source.id, status, signal));
    if (results.kind === 'pages') return this.#readPages(results.fetchPage, signal);
    const { archive, size } = results;
    const records = await publishArchive(archive, this.#source, this.#reading, signal);
    // The contract cuts silently at `size`: a full archive is never taken for a whole one.
    if (records !== size) return undefined;
    const what = `The archive holds exactly ${size} records, the most that its query allows, so its tail is probably missing.`;
    return new ProducerError('truncated-by-size', what, { details: { size } });
  }

  async #readPages(fetchPage: FetchPage, signal: AbortSignal): Promise<ProducerError | undefined> {
    const until = await this.#guard(publishPages(fetchPage, this.#source, this.#reading, signal));
    if (until === undefined || new Date(until) >= this.#window.to) return undefined;
    return notYetAvailable(this.#window.id, new Date(until), true);
  }

  /** Waits for the ledger's job, or for a new one where there is none or where it ended before anything was published. */
  async #attach(signal: AbortSignal): Promise<DoneStatus> {
    const { source, counts } = this.#source.entry;
    if (source) {
      try {
        return await this.#guard(pollUntilDone(this.#contract, source.id, { signal }));
      } catch (error) {
        signal.throwIfAborted();
        if (!endsSourceOnly(error) || counts.read > 0) throw error;
      }
    }
    return pollUntilDone(this.#contract, await this.#submit(signal), { signal });
  }

  /** The id is committed before the first poll, so that a restart finds the job again instead of paying for another. */
  async #submit(signal: AbortSignal): Promise<string> {
    const until = await this.#contract.availableUntil(signal);
    if (until && until < this.#window.to) throw notYetAvailable(this.#window.id, until);
    const jobId = await this.#contract.submit(this.#window, signal);
    await this.#source.begin({ id: jobId, jobId, submittedAt: new Date().toISOString() });
    return jobId;
  }

  /** A job that is gone after some of its records were published cannot be replaced without publishing them again. */
  async #guard<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      const { source, counts } = this.#source.entry;
      const { code = '' } = error as { readonly code?: string };
      if (!source || counts.read === 0 || !GONE.has(code)) throw error;
      throw sourceGone(source.id, counts.read, error as Error);
    }
  }
}
