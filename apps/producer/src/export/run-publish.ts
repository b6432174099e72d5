import { ArchiveError, type Archive } from '@genesys-kafka/archive';
import type { LedgerEntry, LedgerLine } from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import type { OpenArchive } from '../genesys/archive-fetcher.ts';
import { windowError } from '../pipeline/ledger-entry.ts';
import { publishArchive } from '../pipeline/publish-archive.ts';
import { readToItsEnd } from '../pipeline/stage-archive.ts';
import { archivesLeft } from './archives-left.ts';
import type { ProducerContext } from './context.ts';
import { inExportLane, type ReadSource } from './export-lane.ts';
import { stableId } from './identity.ts';
import { outcomeOf, reportOf, type Report, type SourceOutcome, type SourceReport } from './report.ts';

/** Fetches an archive where needed. Raises ArchiveError. */
export type OpenSource = (signal: AbortSignal) => Promise<OpenArchive>;

/** One argument of the command line and the archives that it stands for. */
export interface PublishArgument {
  /** As given, without a query string. */
  readonly name: string;
  readonly sources: readonly OpenSource[];
  /** Why it stands for none. */
  readonly error?: unknown;
  /** A directory: parts without content are told and passed over, as long as there are others. */
  readonly mayHoldEmpty?: boolean;
  /** Files that are told of and not opened. */
  readonly passedOver?: readonly string[];
}

/**
 * Publishes archives one after another, each in its own lane: an archive that is published, by this command or another
 * one, is not published again. One bad source does not stop the rest; the report says what came of each argument.
 */
export async function runPublish(
  context: ProducerContext,
  args: readonly PublishArgument[],
  again: boolean,
  signal: AbortSignal,
): Promise<Report> {
  const startedMs = performance.now();
  const published = new Map<string, LedgerEntry>();
  const sources: SourceReport[] = [];
  for (const argument of args) {
    sources.push({ source: argument.name, ...(await publishArgument(context, argument, again, published, signal)) });
  }
  for (const entry of await leftOf(context, published, signal)) context.observer.onArchiveLeft(entry);
  const exportIds = [...published.keys()];
  const exportId = exportIds.length === 1 ? exportIds[0]! : stableId({ exportIds: exportIds.sort() });
  return reportOf(exportId, [...published.values()], sources, startedMs);
}

/** An open transaction of another run hides its entries; they are not waited for longer than this. */
const LEDGER_PATIENCE_MS = 10_000;

/** Nothing is known where the ledger cannot be read now: what was published stands all the same. */
async function leftOf(
  context: ProducerContext,
  published: ReadonlyMap<string, LedgerEntry>,
  signal: AbortSignal,
): Promise<readonly LedgerEntry[]> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(LEDGER_PATIENCE_MS)]);
  const entries: readonly LedgerLine[] = await context.readEntries(soon).catch(() => []);
  signal.throwIfAborted();
  const windows = entries.filter((line) => line.kind === 'window');
  return archivesLeft(windows, published);
}

async function publishArgument(
  context: ProducerContext,
  argument: PublishArgument,
  again: boolean,
  published: Map<string, LedgerEntry>,
  signal: AbortSignal,
): Promise<SourceOutcome> {
  const { name, sources, error: noSource } = argument;
  const rejected = (cause: unknown): SourceOutcome => {
    const error = windowError(cause);
    context.observer.onSourceRejected(name, error);
    return { status: 'rejected', records: 0, error };
  };
  if (noSource !== undefined) return rejected(noSource);
  for (const path of argument.passedOver ?? []) context.observer.onSourcePassedOver(name, path);
  const outcomes: SourceOutcome[] = [];
  const empty: ArchiveError[] = [];
  for (const open of sources) {
    try {
      await using archive = await open(signal);
      const exportId = stableId({ connector: context.connector, archive: archive.identity });
      // A source that is named twice is published once; this one may be a damaged copy.
      const before = published.get(exportId);
      if (before) await readToItsEnd(archive, signal);
      const entry = before ?? (await publishOne(context, exportId, archive, again, signal));
      published.set(exportId, entry);
      outcomes.push(outcomeOf(entry));
    } catch (error) {
      signal.throwIfAborted();
      if (!endsSourceOnly(error)) throw error;
      if (argument.mayHoldEmpty && isEmptyArchive(error)) empty.push(error);
      else outcomes.push(rejected(error));
    }
  }
  if (outcomes.length === 0 && empty[0]) return rejected(empty[0]);
  for (const error of empty) context.observer.onSourcePassedOver(name, error.message);
  return worst(outcomes);
}

const isEmptyArchive = (error: unknown): error is ArchiveError =>
  error instanceof ArchiveError && error.code === 'archive-empty';

async function publishOne(
  context: ProducerContext,
  exportId: string,
  archive: Archive,
  again: boolean,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  const { identity } = archive;
  return inExportLane(context, { exportId, contract: 'archive', again, changedOnly: false }, signal, async (lane) => {
    // A new generation is a new source: its records are other records than those of the one before.
    const id = lane.generation === 1 ? identity : `${identity}+${lane.generation}`;
    const before = lane.committed.get(identity);
    const at = { id, facts: { window: identity, source: { id } }, skipped: before?.position.records ?? 0 };
    // First, so that of what is damaged the ledger holds nothing. What is done already is read only to see that it is whole.
    if (before?.state === 'done') await readToItsEnd(archive, lane.signal);
    else await context.stages.of(archive, at, lane.signal);
    const read: ReadSource = async (source, stop) => {
      await publishArchive(archive, source, context.stages, stop);
      return undefined;
    };
    return lane.run(identity, { id }, read, lane.signal);
  });
}

/** An argument of many files is as good as its worst one. */
function worst(outcomes: readonly SourceOutcome[]): SourceOutcome {
  const records = outcomes.reduce((sum, one) => sum + one.records, 0);
  const failed = outcomes.filter((one) => one.status !== 'done');
  if (failed.length === 0) return { status: 'done', records };
  const status = outcomes.every((one) => one.status === 'rejected') ? 'rejected' : 'partial';
  const error = failed.find((one) => one.error)?.error;
  if (!error) return { status, records };
  const more = failed.length > 1 ? ` ${failed.length - 1} more of its ${outcomes.length} files: see the log.` : '';
  return { status, records, error: { ...error, message: `${error.message}${more}` } };
}
