import type { Archive } from '@genesys-kafka/archive';
import { chainStart } from '@genesys-kafka/conversation';
import { windowKey, withLane, type LanePublisher, type LedgerEntry } from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import type { OpenArchive } from '../genesys/archive-fetcher.ts';
import { publishArchive } from '../pipeline/publish-archive.ts';
import { endedState, SourcePublisher, windowError } from '../pipeline/source-publisher.ts';
import type { ProducerContext } from './context.ts';
import { stableId } from './identity.ts';
import { NO_RECORDS, sumCounts, type Report, type SourceReport } from './report.ts';
import { chooseGeneration, once, outcome } from './run-export.ts';

/** Fetches an archive where needed and verifies it whole. Raises ArchiveError. */
export type OpenSource = (signal: AbortSignal) => Promise<OpenArchive>;

/** One argument of the command line and the archives that it stands for. */
export interface PublishArgument {
  /** As given, without a query string. */
  readonly name: string;
  readonly sources: readonly OpenSource[];
  /** Why it stands for none. */
  readonly error?: unknown;
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
  for (const argument of args) sources.push(await publishArgument(context, argument, again, published, signal));
  const exportIds = [...published.keys()];
  return {
    exportId: exportIds.length === 1 ? exportIds[0]! : stableId({ exportIds: exportIds.sort() }),
    windows: published.size,
    ...sumCounts(published.values()),
    seconds: Math.round(performance.now() - startedMs) / 1000,
    sources,
  };
}

async function publishArgument(
  context: ProducerContext,
  argument: PublishArgument,
  again: boolean,
  published: Map<string, LedgerEntry>,
  signal: AbortSignal,
): Promise<SourceReport> {
  const rejected = (cause: unknown): Omit<SourceReport, 'source'> => {
    const error = windowError(cause);
    context.onSourceRejected(argument.name, error);
    return { status: 'rejected', records: 0, error };
  };
  if (argument.error !== undefined) return { source: argument.name, ...rejected(argument.error) };
  const outcomes: Omit<SourceReport, 'source'>[] = [];
  for (const open of argument.sources) {
    try {
      await using archive = await open(signal);
      const exportId = stableId({ connector: context.settings.connector, archive: archive.identity });
      // A source that is named twice is published once.
      const entry = published.get(exportId) ?? (await publishOne(context, exportId, archive, again, signal));
      published.set(exportId, entry);
      outcomes.push(outcome(entry));
    } catch (error) {
      signal.throwIfAborted();
      if (!endsSourceOnly(error)) throw error;
      outcomes.push(rejected(error));
    }
  }
  return { source: argument.name, ...worst(outcomes) };
}

async function publishOne(
  context: ProducerContext,
  exportId: string,
  archive: Archive,
  again: boolean,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  const generationOf = once((lane: Parameters<typeof chooseGeneration>[0]) => chooseGeneration(lane, again));
  return withLane(context.lane(exportId, signal), async (lane, publisher) => {
    const generation = generationOf(lane);
    const key = windowKey(exportId, generation, archive.identity);
    const committed = lane.entries.get(key);
    if (committed?.state === 'done') return committed;
    const entry = committed ?? newEntry(context, exportId, generation, archive.identity);
    const ended = await readArchive(context, publisher, key, entry, archive, signal);
    context.onSourceEnded(ended);
    return ended;
  });
}

async function readArchive(
  context: ProducerContext,
  publisher: LanePublisher,
  key: string,
  entry: LedgerEntry,
  archive: Archive,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  const { stages, invalidLimit, onRecords, reading } = context.window(publisher);
  const stage = stages.forSource({ sourceId: entry.source!.id, window: entry.window });
  const source = new SourcePublisher(publisher, key, entry, { stage, invalidLimit, onRecords });
  try {
    await publishArchive(archive, source, reading, AbortSignal.any([signal, publisher.signal]));
    return await source.finish('done');
  } catch (error) {
    signal.throwIfAborted();
    publisher.signal.throwIfAborted();
    if (!endsSourceOnly(error)) throw error;
    return source.finish(endedState(source.entry), error);
  }
}

function newEntry(context: ProducerContext, exportId: string, generation: number, identity: string): LedgerEntry {
  // A new generation is a new source: its records are other records than those of the one before.
  const id = generation === 1 ? identity : `${identity}+${generation}`;
  return {
    v: 1,
    kind: 'window',
    exportId,
    generation,
    connector: context.settings.connector,
    contract: 'archive',
    window: identity,
    state: 'submitted',
    source: { id },
    position: { records: 0, chain: chainStart().toString('hex') },
    counts: NO_RECORDS,
    bytes: 0,
    updatedAt: new Date().toISOString(),
  };
}

/** An argument of many files is as good as its worst one. */
function worst(outcomes: readonly Omit<SourceReport, 'source'>[]): Omit<SourceReport, 'source'> {
  const records = outcomes.reduce((sum, one) => sum + one.records, 0);
  const failed = outcomes.filter((one) => one.status !== 'done');
  if (failed.length === 0) return { status: 'done', records };
  const status = outcomes.every((one) => one.status === 'rejected') ? 'rejected' : 'partial';
  const error = failed.find((one) => one.error)?.error;
  if (!error) return { status, records };
  const more = failed.length > 1 ? ` ${failed.length - 1} more of its ${outcomes.length} files: see the log.` : '';
  return { status, records, error: { ...error, message: `${error.message}${more}` } };
}
