import type { GroupCommit } from '@genesys-kafka/kafka';
import type { DeliverySignals } from '@genesys-kafka/delivery';
import type { PickedRecord } from '../group/settle.ts';

/** Where an input partition goes on. */
export interface Start {
  readonly offset: bigint;
  /** A batch that was begun at this offset, and is to be made again as it was: it ends below `to`. */
  readonly redo?: { readonly to: bigint; readonly note: string };
}

/** The offsets of a batch: of its first record, and one past its last. */
export interface BatchRange {
  readonly first: bigint;
  readonly end: bigint;
}

/** One assignment of one input partition on its way into an exact sink: one call at a time. */
export interface PartitionWriter {
  /** Kept beside the group's offset where no batch is declared. */
  readonly note?: string | undefined;
  /** `offset` is the group's, with what is kept beside it; the writer may know better. */
  begin(offset: bigint, kept: GroupCommit | undefined, signals: DeliverySignals): Promise<Start>;
  /** Told before a record is looked at: what is moved meanwhile is its. */
  at?(offset: bigint): void;
  /** Moves wait that go with the open batch. */
  readonly hasMoves?: boolean;
  /** Takes the next record of the open batch, which its first one opens; a promise where it is to be waited for. */
  add(picked: PickedRecord): Promise<void> | undefined;
  /**
   * Resolves once all of the open batch is at the target, for good, with how many records were written. `declare` keeps a note beside the group's offset,
   * which stands at the batch's first record, and says whether it is kept. Rejects with the reason of a signal, or with
   * what ends the membership or the run.
   */
  write(range: BatchRange, declare: (note: string) => Promise<boolean>, signals: DeliverySignals): Promise<number>;
  /** Lets go of everything: what was not written comes again. */
  close(): Promise<void>;
}
