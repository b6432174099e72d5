import type { GroupBatch, GroupCommit, TopicPartition } from '@genesys-kafka/kafka';

/** Bounds of what one partition may have in hand; reaching either pauses the partition. */
export interface FlowLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What a flow tells its group, and asks of it. */
export interface FlowHooks {
  /** Something changed: position, fullness, idleness. */
  readonly onChange: () => void;
  /** What ends the membership. */
  readonly onFailure: (error: unknown) => void;
  /** Commits the flow's place as it is now. False where that was refused, or the partition is this member's no more. */
  readonly commit: () => Promise<boolean>;
}

/** What one assignment of one partition does with its records. It ends with `stop`, and is never used again. */
export interface Flow {
  /**
   * Where the assignment starts; `kept` asks what the group has committed there. Gives the offset from which it wants
   * to be read, another one where the place is kept elsewhere too.
   */
  begin(offset: bigint, kept: () => Promise<GroupCommit | undefined>): bigint | Promise<bigint>;
  accept(batch: GroupBatch): void;
  /** Offset to commit; undefined before it began. */
  readonly position: bigint | undefined;
  /** Kept beside the position. */
  readonly note?: string | undefined;
  /** The offset that the next batch should begin with; undefined before it began. */
  readonly expected: bigint | undefined;
  readonly inFlight: { readonly records: number; readonly bytes: number };
  /** Milliseconds since the epoch: the timestamp of the oldest record in hand. */
  readonly oldestMs: number | undefined;
  /** Share of the offsets taken that were records, the others being markers; 1 before there were any. */
  readonly density: number;
  /** True while the partition should not be fetched. */
  readonly holding: boolean;
  /** Begins nothing new and lets requests in flight end; after `graceMs` they are aborted. Resolves when none is left. */
  stop(graceMs: number): Promise<void>;
}

export type FlowFactory = (target: TopicPartition, hooks: FlowHooks) => Flow;

/** Which share of a partition's offsets are records: the others are markers of transactions, and aborted records. */
export class Density {
  #records = 0;
  #offsets = 0;

  count({ records, unwanted, from, nextOffset }: GroupBatch): void {
    this.#records += records.length + unwanted;
    this.#offsets += Number(nextOffset - from);
  }

  /** Of the offsets counted; 1 before there were any. */
  get share(): number {
    return this.#offsets === 0 ? 1 : this.#records / this.#offsets;
  }
}
