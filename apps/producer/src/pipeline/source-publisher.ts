import assert from 'node:assert/strict';
import { chain, chainStart } from '@genesys-kafka/conversation/digest';
import {
  addCounts,
  readFrom,
  windowLineKey,
  withoutError,
  type ChangeJudge,
  type LanePublisher,
  type Position,
  type PublishStep,
  type RecordCounts,
  type SourceIdentity,
  type WindowLine,
} from '@genesys-kafka/ledger';
import { sourceChanged, tooManyInvalid, tooManyRecords } from '../errors.ts';
import { divided } from '../stage/divide.ts';
import type { RecordFacts, StagedBatch, StagedStep } from '../stage/staged-step.ts';
import type { SourceFacts } from '../stage/thread-messages.ts';
import type { LetterOutlet } from './letter-outlet.ts';
import { judgedStep, type JudgedStep } from './judged-step.ts';
import { windowError } from './ledger-entry.ts';

interface InvalidLimit {
  /** The largest share of invalid records, 0 to 1 … */
  readonly maxShare: number;
  /** … counted from this many records on. */
  readonly minRecords: number;
}

/** What the publishing of every source needs. */
export interface SourceOptions {
  readonly invalidLimit: InvalidLimit;
  /** Told of each step: what it read, and how many bytes. */
  readonly onRecords: (counts: RecordCounts, bytes: number) => void;
  /** A source with more records is published no further; default no bound. */
  readonly maxRecords?: number;
  /** Of the source's window, where only what has changed is published: from its first record to its last, or not at all. */
  readonly judge?: ChangeJudge;
  /** Where dead letters go to object storage. */
  readonly outlet?: Pick<LetterOutlet, 'take'> | undefined;
}

/** How many valid records of a step are not published. */
type Omitted = Pick<JudgedStep, 'unchanged' | 'stale'>;

const ALL_PUBLISHED: Omitted = { unchanged: 0, stale: 0 };

/** Where the page contract stands after some records. */
export type PagePosition = Pick<Position, 'cursor' | 'page' | 'availability'>;

/**
 * One source's way onto the topic: counts, chain and position move with each step, and each step carries the ledger
 * entry that says so. Starts where `entry` stands: what was passed before is skipped, and must be the same as it was.
 */
export class SourcePublisher<E extends WindowLine = WindowLine> {
  readonly #publisher: LanePublisher;
  readonly #options: SourceOptions;
  /** Where this source was taken up. */
  #committed: E;
  #entry: E;
  #chain = chainStart();

  constructor(publisher: LanePublisher, entry: E, options: SourceOptions) {
    this.#publisher = publisher;
    this.#options = options;
    this.#committed = entry;
    this.#entry = entry;
  }

  get entry(): E {
    return this.#entry;
  }

  /** A job's id or an archive's identity; until a job is submitted, the window's. */
  get id(): string {
    const { source, window } = this.#entry;
    return source?.id ?? window;
  }

  /** What its records are told apart by. */
  get facts(): SourceFacts {
    const { window, source } = this.#entry;
    return { window, source, ...(this.#options.judge ? { change: 'new' } : {}) };
  }

  /** Records before this ordinal are on the topic already. */
  get skipped(): number {
    return this.#committed.position.records;
  }

  /** Says that the window is about to be read; committed when this resolves. */
  async announce(): Promise<void> {
    await this.#commit();
  }

  /** Reads the window from this source, from its start; committed when this resolves. Nothing may be published before. */
  async begin(source: SourceIdentity): Promise<void> {
    this.#committed = readFrom(this.#entry, source);
    this.#entry = this.#committed;
    await this.#commit();
  }

  /** To be called before more of the source is published, with what it is known to hold. Raises `too-many-records`. */
  assertFew(records: number, most = this.#options.maxRecords): void {
    if (most !== undefined && records > most) throw tooManyRecords(this.id, records, most);
  }

  /** The most records that a source may have, where it has to be less than `size`. */
  mostBelow(size: number): number | undefined {
    const { maxRecords } = this.#options;
    return maxRecords === undefined ? undefined : Math.min(maxRecords, size - 1);
  }

  /** Page contract: starts at the committed position itself, for a cursor brings nothing of what lies before it. */
  continueFromPosition(): void {
    this.#chain = Buffer.from(this.#committed.position.chain, 'hex');
  }

  /**
   * Takes steps in the order of their ordinals; resolves when there is room for more. Records before the committed
   * position are only chained. `positionAt`: where the page contract stands after so many of the step's records.
   * Rejects with `source-changed`, `too-many-invalid`, `too-many-records` or `lane-interrupted`, or with the signal's
   * reason where dead letters wait for a storage that is away.
   */
  async publish(step: StagedStep, positionAt?: (records: number) => PagePosition, signal?: AbortSignal): Promise<void> {
    const { facts, firstOrdinal } = step;
    const passed = Math.min(Math.max(this.skipped - firstOrdinal, 0), facts.count);
    this.#extendChain(facts.slice(0, passed));
    if (passed === facts.count) return;
    if (firstOrdinal + passed === this.skipped) this.#assertSameSource();
    for await (const part of this.#parts(step, passed)) {
      // A source that was stopped by it stays stopped.
      this.#assertFewInvalid();
      assert.equal(part.firstOrdinal, this.#entry.position.records, 'a step is missing');
      this.assertFew(part.firstOrdinal + part.facts.count);
      this.#extendChain(part.facts);
      await this.#send(part, positionAt?.(part.firstOrdinal + part.facts.count - firstOrdinal), signal);
      this.#assertFewInvalid();
    }
  }

  /** What is still to be sent once object storage has the dead letters. */
  async #withoutLetters(batches: readonly StagedBatch[], signal?: AbortSignal): Promise<readonly StagedBatch[]> {
    const { outlet } = this.#options;
    if (!outlet) return batches;
    const { signal: ended } = this.#publisher;
    return outlet.take(batches, signal ? AbortSignal.any([ended, signal]) : ended);
  }

  async #send(part: StagedStep, page: PagePosition | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { judge } = this.#options;
    if (!judge) {
      const batches = await this.#withoutLetters(part.batches, signal);
      this.#advance(part, page);
      await this.#publisher.write({ ...this.#step(batches), ...(part.release ? { onSent: part.release } : {}) });
      return;
    }
    await judge.inTurn(async (turn) => {
      const judged = await judgedStep(part, turn);
      const batches = await this.#withoutLetters(judged.batches, signal);
      const digests = await turn.digests();
      // Nothing is waited for from here until the step is both taken and kept in mind.
      this.#advance(part, page, judged);
      const taken = this.#publisher.write({ ...this.#step(batches), digests });
      turn.keep();
      await taken;
    });
  }

  /** The step as it is, unless it begins in its midst, or is more than the line takes in the time of a transaction. */
  #parts(step: StagedStep, passed: number): Iterable<StagedStep> | AsyncIterable<StagedStep> {
    const most = this.#publisher.stepBytes;
    const bytes = step.batches.reduce((sum, { batch }) => sum + batch.rawBytes, 0);
    return passed === 0 && bytes <= most ? [step] : divided(step, step.firstOrdinal + passed, most);
  }

  #extendChain(facts: RecordFacts): void {
    for (let index = 0; index < facts.count; index += 1) this.#chain = chain(this.#chain, facts.digest(index));
  }

  #assertFewInvalid(): void {
    const { read, invalid } = this.#entry.counts;
    const { maxShare, minRecords } = this.#options.invalidLimit;
    if (read >= minRecords && invalid > read * maxShare) throw tooManyInvalid(invalid, read, maxShare);
  }

  /** Moves the position without any record: past an empty page. */
  async moveTo(page: PagePosition): Promise<void> {
    this.#move(page);
    await this.#publisher.write(this.#step());
  }

  /** The last entry of this source, with `more` of what is known then; committed when this resolves. */
  async finish(state: E['state'], error?: unknown, more: (entry: E) => E = (entry) => entry): Promise<E> {
    if (state === 'done') this.#assertFewInvalid();
    const { page, cursor, availability, ...position } = this.#entry.position;
    this.#entry = more({
      ...withoutError(this.#entry),
      state,
      position: state === 'done' ? position : this.#entry.position,
      ...(error === undefined ? {} : { error: windowError(error) }),
      updatedAt: new Date().toISOString(),
    });
    await this.#commit();
    return this.#entry;
  }

  /** To be called at a source's end: it may have ended before the committed position. */
  assertReached(records: number): void {
    if (records < this.skipped) throw this.changed();
    assert.equal(this.#entry.position.records, records, 'steps are missing at the end');
    if (records === this.skipped) this.#assertSameSource();
  }

  /** What was published of this source is not what it brings now. */
  changed(): Error {
    return sourceChanged(this.id, this.skipped);
  }

  #assertSameSource(): void {
    if (this.#chain.toString('hex') !== this.#committed.position.chain) throw this.changed();
  }

  #advance({ facts }: StagedStep, page: PagePosition | undefined, judged: Omitted = ALL_PUBLISHED): void {
    const { read, invalid, bytes } = facts.sums();
    const { unchanged, stale } = judged;
    const published = read - invalid - unchanged - stale;
    const more: RecordCounts = { read, published, invalid, unchanged, ...(stale > 0 ? { stale } : {}) };
    this.#move(page);
    const { counts, position } = this.#entry;
    this.#entry = {
      ...this.#entry,
      state: 'publishing',
      position: { ...position, records: position.records + read, chain: this.#chain.toString('hex') },
      counts: addCounts(counts, more),
      bytes: this.#entry.bytes + bytes,
    };
    this.#options.onRecords(more, bytes);
  }

  /** To another page, or to none; an error of an earlier run is over by then. */
  #move(page: PagePosition | undefined): void {
    const entry = withoutError(this.#entry);
    const { records, chain: chained } = entry.position;
    this.#entry = { ...entry, position: { records, chain: chained, ...page }, updatedAt: new Date().toISOString() };
  }

  async #commit(): Promise<void> {
    await this.#publisher.write(this.#step());
    await this.#publisher.flush();
  }

  #step(batches: readonly StagedBatch[] = []): PublishStep {
    return { key: windowLineKey(this.#entry), entry: this.#entry, batches };
  }
}
