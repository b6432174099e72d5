import { chainStart } from '@genesys-kafka/conversation';
import { pollUntilDone, type DoneStatus, type Window } from '@genesys-kafka/job-poller';
import { windowKey, type LanePublisher, type LedgerEntry } from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import { NotYetAvailableError, SourceGoneError, TruncatedArchiveError } from '../errors.ts';
import type { JobContract } from '../genesys/job-contract.ts';
import { publishArchive, type ReadOptions } from '../pipeline/publish-archive.ts';
import { publishPages } from '../pipeline/publish-pages.ts';
import type { StageFactory } from '../pipeline/record-stage.ts';
import { endedState, SourcePublisher, type InvalidLimit, type OnRecords } from '../pipeline/source-publisher.ts';
import { NO_RECORDS } from './report.ts';

export interface WindowContext {
  readonly exportId: string;
  readonly generation: number;
  readonly connector: string;
  readonly contract: JobContract;
  readonly publisher: LanePublisher;
  readonly stages: StageFactory;
  readonly reading: ReadOptions;
  readonly invalidLimit: InvalidLimit;
  readonly onRecords: OnRecords;
  readonly onPoll?: (window: Window, jobId: string, state: string) => void;
}

/**
 * One window from wherever the ledger says it stands to its end: submits a job or attaches to the one in the ledger,
 * waits for it, publishes its records. Resolves with the window's last ledger entry, `rejected` and `partial` included;
 * rejects only for what ends the whole run.
 */
export async function runWindow(
  context: WindowContext,
  window: Window,
  committed: LedgerEntry | undefined,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  if (committed?.state === 'done') return committed;
  const ended = await runJob(new WindowJob(context, window, committed), signal);
  if (ended.source) await context.contract.release(ended.source.id);
  return ended;
}

async function runJob(job: WindowJob, signal: AbortSignal): Promise<LedgerEntry> {
  try {
    return await job.run(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!endsSourceOnly(error)) throw error;
    return job.end(error);
  }
}

class WindowJob {
  readonly #context: WindowContext;
  readonly #window: Window;
  #entry: LedgerEntry;
  #source: SourcePublisher | undefined;

  constructor(context: WindowContext, window: Window, committed: LedgerEntry | undefined) {
    this.#context = context;
    this.#window = window;
    this.#entry = committed ?? newEntry(context, window);
  }

  async run(signal: AbortSignal): Promise<LedgerEntry> {
    const { contract } = this.#context;
    const status = await this.#attach(signal);
    const jobId = this.#entry.source!.id;
    const results = await this.#guard(contract.results(jobId, status, signal));
    const source = this.#publisherOf(jobId);
    if (results.kind === 'pages') return this.#readPages(results.fetchPage, jobId, source, signal);
    const records = await publishArchive(results.archive, source, this.#context.reading, signal);
    // The contract cuts silently at `size`: a full archive is never taken for a whole one.
    if (records === results.size) return source.finish('partial', new TruncatedArchiveError(results.size));
    return source.finish('done');
  }

  /** The window's end without success: what is published stands, and the ledger says why it stopped. */
  async end(error: unknown): Promise<LedgerEntry> {
    const source = this.#source ?? this.#publisherOf(this.#entry.source?.id ?? '');
    return source.finish(endedState(source.entry), error);
  }

  /** Waits for the ledger's job, or for a new one where there is none or where it ended before anything was published. */
  async #attach(signal: AbortSignal): Promise<DoneStatus> {
    if (this.#entry.source) {
      try {
        return await this.#guard(this.#poll(this.#entry.source.id, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (!endsSourceOnly(error) || this.#entry.counts.read > 0) throw error;
      }
    }
    return this.#poll(await this.#submit(signal), signal);
  }

  async #submit(signal: AbortSignal): Promise<string> {
    const { contract, publisher } = this.#context;
    await this.#assertAvailable(signal);
    const jobId = await contract.submit(this.#window, signal);
    const now = new Date().toISOString();
    this.#entry = {
      ...newEntry(this.#context, this.#window),
      source: { id: jobId, jobId, submittedAt: now },
    };
    // The id is committed before the first poll, so that a restart finds the job again instead of paying for another.
    await publisher.write({ key: this.#key(), entry: this.#entry, records: [] });
    await publisher.flush();
    return jobId;
  }

  async #poll(jobId: string, signal: AbortSignal): Promise<DoneStatus> {
    const { contract, onPoll } = this.#context;
    return pollUntilDone(contract, jobId, {
      signal,
      onPoll: ({ status }) => onPoll?.(this.#window, jobId, status.state),
    });
  }

  async #readPages(
    fetchPage: Parameters<typeof publishPages>[0],
    jobId: string,
    source: SourcePublisher,
    signal: AbortSignal,
  ): Promise<LedgerEntry> {
    const availableUntil = await this.#guard(publishPages(fetchPage, jobId, source, this.#context.reading, signal));
    if (availableUntil !== undefined && new Date(availableUntil) < this.#window.to) {
      return source.finish('partial', new NotYetAvailableError(this.#window.id, new Date(availableUntil), true));
    }
    return source.finish('done');
  }

  /** A job that is gone after some of its records were published cannot be replaced without publishing them again. */
  async #guard<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      const { source, counts } = this.#source?.entry ?? this.#entry;
      const code = (error as { code?: string }).code ?? '';
      if (!source || counts.read === 0 || !GONE.has(code)) throw error;
      throw new SourceGoneError(source.id, counts.read, error as Error);
    }
  }

  async #assertAvailable(signal: AbortSignal): Promise<void> {
    const until = await this.#context.contract.availableUntil(signal);
    if (until && until < this.#window.to) throw new NotYetAvailableError(this.#window.id, until);
  }

  #publisherOf(jobId: string): SourcePublisher {
    const { publisher, stages, invalidLimit, onRecords } = this.#context;
    const stage = stages.forSource({
      sourceId: jobId,
      window: this.#window.id,
      jobId,
      submittedAt: this.#entry.source?.submittedAt,
    });
    this.#source = new SourcePublisher(publisher, this.#key(), this.#entry, { stage, invalidLimit, onRecords });
    return this.#source;
  }

  #key(): string {
    return windowKey(this.#context.exportId, this.#context.generation, this.#window.id);
  }
}

const GONE = new Set(['job-gone', 'cursor-refused', 'job-failed', 'job-cancelled', 'job-expired']);

function newEntry(context: WindowContext, window: Window): LedgerEntry {
  return {
    v: 1,
    kind: 'window',
    exportId: context.exportId,
    generation: context.generation,
    connector: context.connector,
    contract: context.contract.name,
    window: window.id,
    state: 'submitted',
    position: { records: 0, chain: chainStart().toString('hex') },
    counts: NO_RECORDS,
    bytes: 0,
    updatedAt: new Date().toISOString(),
  };
}
