import { chain, chainStart } from '@genesys-kafka/conversation';
import type {
  LanePublisher,
  LedgerEntry,
  Position,
  PublishStep,
  RecordCounts,
  WindowState,
} from '@genesys-kafka/ledger';
import { OperationalError } from '@genesys-kafka/resilience';
import { SourceChangedError, TooManyInvalidError } from '../errors.ts';
import type { JudgedRecord } from '../validate/judge.ts';
import type { RecordStage, StagedRecord } from './record-stage.ts';

export interface InvalidLimit {
  /** The largest share of invalid records, 0 to 1 … */
  readonly maxShare: number;
  /** … judged from this many records on. */
  readonly minRecords: number;
}

/** Told of each step: what it read, and how many bytes. */
export type OnRecords = (counts: RecordCounts, bytes: number) => void;

export interface SourceOptions {
  readonly stage: RecordStage;
  readonly invalidLimit: InvalidLimit;
  readonly onRecords: OnRecords;
}

/** Where the page contract stands after some records. */
export type PagePosition = Pick<Position, 'cursor' | 'page'>;

/**
 * One source's way onto the topic: counts, chain and position move with each step, and each step carries the ledger
 * entry that says so. Starts where `entry` stands: what was passed before is skipped, and must be the same as it was.
 */
export class SourcePublisher {
  readonly #publisher: LanePublisher;
  readonly #key: string;
  readonly #options: SourceOptions;
  readonly #committed: LedgerEntry;
  #entry: LedgerEntry;
  #chain: Buffer;

  constructor(publisher: LanePublisher, key: string, entry: LedgerEntry, options: SourceOptions) {
    this.#publisher = publisher;
    this.#key = key;
    this.#options = options;
    this.#committed = entry;
    this.#entry = entry;
    this.#chain = chainStart();
  }

  get entry(): LedgerEntry {
    return this.#entry;
  }

  /** Records before this ordinal are on the topic already. */
  get skipped(): number {
    return this.#committed.position.records;
  }

  /** Page contract: starts at the committed position itself, for a cursor brings nothing of what lies before it. */
  continueFromPosition(): void {
    this.#chain = Buffer.from(this.#committed.position.chain, 'hex');
  }

  /**
   * Takes records in the order of their ordinals; resolves when there is room for more. Records before the committed
   * position are only chained. Raises SourceChangedError, TooManyInvalidError, LaneInterruptedError.
   */
  async publish(judged: readonly JudgedRecord[], page?: PagePosition, availableUntil?: string): Promise<void> {
    const { stage } = this.#options;
    const { skipped } = this;
    const staged: StagedRecord[] = [];
    for (const record of judged) {
      if (record.ordinal === skipped) this.#assertSameSource();
      this.#chain = chain(this.#chain, record.digest);
      if (record.ordinal >= skipped) staged.push(stage.process(record, availableUntil));
    }
    if (staged.length === 0) return;
    // A source that was stopped by it stays stopped.
    this.#assertFewInvalid();
    await this.#publisher.write(this.#advance(staged, page));
    this.#assertFewInvalid();
  }

  #assertFewInvalid(): void {
    const { read, invalid } = this.#entry.counts;
    const { maxShare, minRecords } = this.#options.invalidLimit;
    if (read >= minRecords && invalid > read * maxShare) throw new TooManyInvalidError(invalid, read, maxShare);
  }

  /** Moves the position without any record: past an empty page. */
  async moveTo(page: PagePosition): Promise<void> {
    await this.#publisher.write({ key: this.#key, entry: this.#with(page), records: [] });
  }

  /** The last entry of this source; committed when this resolves. */
  async finish(state: WindowState, error?: unknown): Promise<LedgerEntry> {
    if (state === 'done') this.#assertFewInvalid();
    const { page, cursor, ...position } = this.#entry.position;
    const { error: old, ...entry } = this.#entry;
    this.#entry = {
      ...entry,
      state,
      position: state === 'done' ? position : this.#entry.position,
      ...(error === undefined ? {} : { error: windowError(error) }),
      updatedAt: new Date().toISOString(),
    };
    await this.#publisher.write({ key: this.#key, entry: this.#entry, records: [] });
    await this.#publisher.flush();
    return this.#entry;
  }

  /** To be called at a source's end: it may have ended before the committed position. */
  assertReached(records: number): void {
    if (records < this.#committed.position.records) this.#changed();
    if (records === this.#committed.position.records) this.#assertSameSource();
  }

  #assertSameSource(): void {
    if (this.#chain.toString('hex') !== this.#committed.position.chain) this.#changed();
  }

  #changed(): never {
    throw new SourceChangedError(
      this.#committed.source?.id ?? this.#committed.window,
      this.#committed.position.records,
    );
  }

  #advance(staged: readonly StagedRecord[], page: PagePosition | undefined): PublishStep {
    const read = staged.length;
    const invalid = staged.filter((record) => !record.isValid).length;
    const bytes = staged.reduce((sum, record) => sum + record.bytes, 0);
    const { counts, position, ...entry } = this.#with(page);
    this.#entry = {
      ...entry,
      state: 'publishing',
      position: { ...position, records: position.records + read, chain: this.#chain.toString('hex') },
      counts: {
        read: counts.read + read,
        published: counts.published + read - invalid,
        invalid: counts.invalid + invalid,
        unchanged: counts.unchanged,
      },
      bytes: entry.bytes + bytes,
    };
    this.#options.onRecords({ read, published: read - invalid, invalid, unchanged: 0 }, bytes);
    return { key: this.#key, entry: this.#entry, records: staged };
  }

  #with(page: PagePosition | undefined): LedgerEntry {
    const { error, position, ...entry } = this.#entry;
    const { records, chain: chained } = position;
    this.#entry = { ...entry, position: { records, chain: chained, ...page }, updatedAt: new Date().toISOString() };
    return this.#entry;
  }
}

export function windowError(error: unknown): NonNullable<LedgerEntry['error']> {
  if (!(error instanceof OperationalError)) throw error;
  const { ordinal, offset } = error.details;
  return {
    code: error.code,
    message: error.message,
    ...(typeof ordinal === 'number' ? { ordinal } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
  };
}

/** What an ended source is called: `partial` where some of its records are on the topic. */
export function endedState(entry: LedgerEntry): 'rejected' | 'partial' {
  return entry.counts.read > 0 ? 'partial' : 'rejected';
}
