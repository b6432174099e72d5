import {
  withLane,
  type ClaimedLane,
  type Contract,
  type LanePublisher,
  type LedgerEntry,
  type SourceIdentity,
} from '@genesys-kafka/ledger';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import type { ProducerError } from '../errors.ts';
import { endedState, newEntry } from '../pipeline/ledger-entry.ts';
import { SourcePublisher } from '../pipeline/source-publisher.ts';
import type { ProducerContext } from './context.ts';

/** What is published, and as what. */
export interface ExportIdentity {
  readonly exportId: string;
  readonly contract: Contract;
  /** Asks for a new generation: everything is read and published again. */
  readonly again: boolean;
}

/**
 * Does `work` in the export's own lane, again from what is committed when that was interrupted (see `withLane`). The
 * newest generation goes on; `again` begins the next one.
 */
export async function inExportLane<T>(
  context: ProducerContext,
  identity: ExportIdentity,
  signal: AbortSignal,
  work: (lane: ExportLane) => Promise<T>,
): Promise<T> {
  // Chosen at the first claim: claiming again after a doubt must not begin another one.
  let generation: number | undefined;
  return withLane(context.lane(identity.exportId, signal), async (lane, publisher) => {
    generation ??= chooseGeneration(lane, identity.again);
    return work(new ExportLane(context, identity, generation, lane, publisher, signal));
  });
}

function chooseGeneration({ entries }: ClaimedLane, again: boolean): number {
  let newest = 0;
  for (const entry of entries.values()) newest = Math.max(newest, entry.generation);
  return again ? newest + 1 : Math.max(newest, 1);
}

/** One generation of an export while its lane is held: where its windows stand, and the way to take each to its end. */
export class ExportLane {
  readonly context: ProducerContext;
  readonly generation: number;
  /** Entries of this generation by window, as of the claim. */
  readonly committed: ReadonlyMap<string, LedgerEntry>;
  /** Aborts when the run is stopped, and when the lane fails. */
  readonly signal: AbortSignal;
  readonly #identity: ExportIdentity;
  readonly #publisher: LanePublisher;

  constructor(
    context: ProducerContext,
    identity: ExportIdentity,
    generation: number,
    lane: ClaimedLane,
    publisher: LanePublisher,
    signal: AbortSignal,
  ) {
    this.context = context;
    this.generation = generation;
    const entries = [...lane.entries.values()].filter((entry) => entry.generation === generation);
    this.committed = new Map(entries.map((entry) => [entry.window, entry]));
    this.signal = AbortSignal.any([signal, publisher.signal]);
    this.#identity = identity;
    this.#publisher = publisher;
  }

  /**
   * Takes a window, or an archive, from wherever the ledger says it stands to its end. `read` publishes what is left of
   * it and resolves with what makes it less than whole, if anything does; where it fails, what is published stands, and
   * the ledger says why it stopped. Resolves with the last entry, `rejected` and `partial` included; rejects only for
   * what ends the whole run.
   */
  async run(
    window: string,
    source: SourceIdentity | undefined,
    read: (source: SourcePublisher) => Promise<ProducerError | undefined>,
    signal: AbortSignal,
  ): Promise<LedgerEntry> {
    const committed = this.committed.get(window);
    if (committed?.state === 'done') return committed;
    const { exportId, contract } = this.#identity;
    const { generation, context } = this;
    const { connector } = context;
    const entry = committed ?? newEntry({ exportId, generation, connector, contract, window }, source);
    const ended = await toItsEnd(new SourcePublisher(this.#publisher, entry, context.source), read, signal);
    context.observer.onSourceEnded(ended);
    return ended;
  }
}

async function toItsEnd(
  source: SourcePublisher,
  read: (source: SourcePublisher) => Promise<ProducerError | undefined>,
  signal: AbortSignal,
): Promise<LedgerEntry> {
  try {
    const lack = await read(source);
    return await source.finish(lack ? 'partial' : 'done', lack);
  } catch (error) {
    signal.throwIfAborted();
    if (!endsSourceOnly(error)) throw error;
    return source.finish(endedState(source.entry), error);
  }
}
