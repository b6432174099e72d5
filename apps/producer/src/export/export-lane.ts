import { dayOf } from '@genesys-kafka/job-poller';
import {
  newWindowEntry,
  withLane,
  type ChangeJudge,
  type Contract,
  type LanePublisher,
  type LedgerEntry,
  type SourceIdentity,
} from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import { jobRepeated, type ProducerError } from '../errors.ts';
import { endedState } from '../pipeline/ledger-entry.ts';
import { SourcePublisher } from '../pipeline/source-publisher.ts';
import { assertSameMode, digestScope, endOutOfReach } from './changed-only.ts';
import type { ProducerContext } from './context.ts';

/** What is published, and as what. */
interface ExportIdentity {
  readonly exportId: string;
  readonly contract: Contract;
  /** Asks for a new generation: everything is read and published again. */
  readonly again: boolean;
  /** Of a generation only what is not as it was published last: see `digestScope`. */
  readonly changedOnly: boolean;
}

/** Publishes what is left of a source; resolves with what makes it less than whole, if anything does. */
export type ReadSource = (source: SourcePublisher, signal: AbortSignal) => Promise<ProducerError | undefined>;

/** One generation of an export while its lane is held. */
export interface ExportLane {
  readonly generation: number;
  /** Entries of this generation by window, as of the claim. */
  readonly committed: ReadonlyMap<string, LedgerEntry>;
  /**
   * Says that a window is read from this source. Raises `job-repeated` where another window, or another generation of
   * this one, is: its records would be published a second time, under the same identities.
   */
  takeSource(id: string, window: string): void;
  /** Aborts when the run is stopped, and when the lane fails. */
  readonly signal: AbortSignal;
  /**
   * Takes a window, or an archive, from wherever the ledger says it stands to its end. Where reading it fails, what is
   * published stands, and the ledger says why it stopped. Resolves with the last entry, `rejected` and `partial`
   * included; rejects only for what ends the whole run.
   */
  run(window: string, source: SourceIdentity | undefined, read: ReadSource, signal: AbortSignal): Promise<LedgerEntry>;
}

/**
 * Does `work` in the export's own lane, again from what is committed when that was interrupted (see `withLane`). The
 * newest generation goes on; `again` begins the next one.
 */
export async function inExportLane<T>(
  context: ProducerContext,
  { exportId, contract, again, changedOnly }: ExportIdentity,
  outer: AbortSignal,
  work: (lane: ExportLane) => Promise<T>,
): Promise<T> {
  // Chosen at the first claim: claiming again after a doubt must not begin another one.
  let chosen: number | undefined;
  return withLane(context.lane(exportId, outer), async (lane, publisher) => {
    const entries = [...lane.entries.values()].filter((line) => line.kind === 'window');
    const generation = (chosen ??= nextGeneration(entries, again));
    assertSameMode(exportId, generation, entries, changedOnly);
    const digests = context.digests(lane, publisher, outer);
    if (digests) await endOutOfReach(digests, exportId, generation, entries);
    const scope = digestScope(exportId, generation, entries);
    const judgeOf = digests && ((window: string) => digests.judge(scope, dayOf(window)));
    const signal = AbortSignal.any([outer, publisher.signal]);
    return work(exportLane(context, { exportId, contract, generation, judgeOf }, entries, publisher, signal));
  });
}

interface Generation extends Pick<LedgerEntry, 'exportId' | 'contract' | 'generation'> {
  /** Where only what has changed is published. */
  readonly judgeOf?: ((window: string) => ChangeJudge) | undefined;
}

/** A claimed lane, as its windows see it. `entries` are those of all generations. @internal */
export function exportLane(
  { connector, observer, source: options }: Pick<ProducerContext, 'connector' | 'observer' | 'source'>,
  { exportId, contract, generation, judgeOf }: Generation,
  entries: readonly LedgerEntry[],
  publisher: LanePublisher,
  signal: AbortSignal,
): ExportLane {
  const current = entries.filter((entry) => entry.generation === generation);
  const committed = new Map(current.map((entry) => [entry.window, entry]));
  const takenBy = new Map<string, Pick<LedgerEntry, 'window' | 'generation'>>(
    entries.flatMap((entry) => (entry.source ? [[entry.source.id, entry] as const] : [])),
  );
  return {
    generation,
    committed,
    signal,
    takeSource: (id, window) => {
      const other = takenBy.get(id);
      if (other && (other.window !== window || other.generation !== generation)) throw jobRepeated(id, window, other);
      takenBy.set(id, { window, generation });
    },
    run: async (window, source, read, stop) => {
      const before = committed.get(window);
      if (before !== undefined && isSettled(before)) return before;
      using judge = judgeOf?.(window);
      const facts = { exportId, generation, connector, contract, window, ...(source ? { source } : {}) };
      const entry = before ?? newWindowEntry({ ...facts, ...(judge ? { changedOnly: true } : {}) });
      const judged = judge ? { ...options, judge } : options;
      const ended = await toItsEnd(new SourcePublisher(publisher, entry, judged), read, stop);
      observer.onSourceEnded(ended);
      return ended;
    },
  };
}

/** What reading a job to its end has shown of it. Reading its last page again would show less, and call it whole. */
const LACKS = new Set(['not-yet-available', 'availability-unreadable']);

/** Nothing more comes of this entry's source: it is done, or it was read to its end and lacks what only a new job has. */
function isSettled({ state, error }: LedgerEntry): boolean {
  return state === 'done' || (state === 'partial' && error !== undefined && LACKS.has(error.code));
}

function nextGeneration(entries: readonly LedgerEntry[], again: boolean): number {
  const newest = entries.reduce((most, { generation }) => Math.max(most, generation), 0);
  return again ? newest + 1 : Math.max(newest, 1);
}

async function toItsEnd(
  source: SourcePublisher<LedgerEntry>,
  read: ReadSource,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  try {
    const lack = await read(source, signal);
    return await source.finish(lack ? 'partial' : 'done', lack);
  } catch (error) {
    signal.throwIfAborted();
    if (!endsSourceOnly(error)) throw error;
    return source.finish(endedState(source.entry), error);
  }
}
