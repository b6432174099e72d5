import assert from 'node:assert/strict';
import { partitionName, type EncodedBatch, type TopicPartition, type Transaction } from '@genesys-kafka/kafka';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { encodeLedgerValue, type LedgerLine } from './entries.ts';
import { LedgerError } from './errors.ts';
import type { ClaimedLane } from './lane.ts';
import { PartitionQueue } from './partition-queue.ts';
import { SendPace } from './send-pace.ts';

export interface PublisherLimits {
  /** A transaction is closed when its records have this many bytes (like all bounds here: less while sends are slow) … */
  readonly transactionBytes: number;
  /** … or when this long has passed since its first record. */
  readonly transactionMs: number;
  /** Bytes that may wait in memory, unsent or unacknowledged, before `write` holds its caller back. */
  readonly bufferBytes: number;
  /** The most a step should hold, before compression. */
  readonly stepBytes: number;
}

/** Records of one window and its ledger entry after them: one indivisible step. */
export interface PublishStep {
  readonly key: string;
  readonly entry: LedgerLine;
  readonly batches: readonly (TopicPartition & { readonly batch: EncodedBatch })[];
  /** Of the records that are published, where the lane keeps digests. */
  readonly digests?: readonly EncodedBatch[];
  /** Called when the last of `batches` is sent, and their bytes are read no more; not after a failure. */
  onSent?(): void;
}

/** What each record of a batch takes while it is sent, besides the batch's bytes. */
const RECORD_OVERHEAD = 100;

export interface PublisherEvents {
  onCommit?(commit: { readonly records: number; readonly bytes: number; readonly ms: number }): void;
  onBuffered?(bytes: number): void;
}

/** One transaction, from its first record to its commit. */
interface Batch {
  readonly queues: Map<string, PartitionQueue>;
  readonly entries: Map<string, LedgerLine>;
  readonly openedMs: number;
  readonly committed: PromiseWithResolvers<undefined>;
  readonly age: AbortController;
  records: number;
  bytes: number;
}

/**
 * Publishes the steps of many windows through one lane. A step's records and its ledger entry share a transaction.
 * While one transaction is being closed, the next one is already filling, so that the stages before never wait for a
 * commit, only for `bufferBytes`.
 */
export class LanePublisher {
  readonly #lane: ClaimedLane;
  readonly #limits: PublisherLimits;
  readonly #events: PublisherEvents;
  readonly #clock: Clock;
  readonly #pace: SendPace;
  /** Being sent: the transaction that is begun. */
  #open: { readonly batch: Batch; readonly transaction: Promise<Transaction>; readonly begunMs: number } | undefined;
  /** Filling while `#open` closes. */
  #next: Batch | undefined;
  #closing: Promise<void> | undefined;
  #bufferedBytes = 0;
  #room: PromiseWithResolvers<undefined> | undefined;
  #failure: LedgerError | undefined;
  readonly #ended = new AbortController();

  /** `pace`: what earlier publishers of this lane have learned of the way to the broker. */
  constructor(
    lane: ClaimedLane,
    limits: PublisherLimits,
    events: PublisherEvents = {},
    clock: Clock = systemClock,
    pace = new SendPace(),
  ) {
    this.#pace = pace;
    this.#lane = lane;
    this.#limits = limits;
    this.#events = events;
    this.#clock = clock;
  }

  /**
   * Takes a step; resolves when there is room for another. Taking is not committing: see `flush`.
   * Rejects with `lane-interrupted` once anything of this lane has failed.
   */
  async write(step: PublishStep): Promise<void> {
    this.#throwIfFailed();
    const batch = this.#fillingBatch();
    batch.entries.set(step.key, step.entry);
    let unsent = step.batches.length;
    const onSent = () => {
      unsent -= 1;
      if (unsent === 0) step.onSent?.();
    };
    for (const { topic, partition, batch: records } of step.batches) {
      batch.records += records.count;
      this.#take(batch, { topic, partition }, records, onSent);
    }
    this.#takeDigests(batch, step.digests ?? []);
    await this.#untilRoom(batch);
  }

  /** Takes records of the digests' partition that belong to no step; otherwise as `write`. */
  async writeDigests(digests: readonly EncodedBatch[]): Promise<void> {
    this.#throwIfFailed();
    const batch = this.#fillingBatch();
    this.#takeDigests(batch, digests);
    await this.#untilRoom(batch);
  }

  /** The most a step should hold now, before compression: it is indivisible, and a transaction has its time. */
  get stepBytes(): number {
    return this.#limits.stepBytes * this.#pace.share;
  }

  /** Aborts, with `lane-interrupted`, when the lane fails: work that waits for something else stops by it. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Resolves when every step taken so far is committed; rejects with `lane-interrupted`. */
  async flush(): Promise<void> {
    this.#throwIfFailed();
    const last = this.#next ?? (this.#closing ? undefined : this.#open?.batch);
    const pending = last?.committed.promise ?? this.#open?.batch.committed.promise;
    if (last !== undefined && last === this.#open?.batch) this.#startClosing();
    else if (last !== undefined) last.age.abort();
    await pending;
    this.#throwIfFailed();
  }

  /** Lets the producer go. What is not committed is left to the broker to abort: flush first. */
  async close(): Promise<void> {
    this.#fail(new Error('the publisher was closed'));
    await this.#settled();
    await this.#lane.producer.close();
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  #take(batch: Batch, target: TopicPartition, records: EncodedBatch, onSent?: () => void): void {
    batch.bytes += records.rawBytes;
    const held = records.bytes.length + records.count * RECORD_OVERHEAD;
    this.#bufferedBytes += held;
    this.#queue(batch, target).push(records, held, onSent);
  }

  #takeDigests(batch: Batch, digests: readonly EncodedBatch[]): void {
    const target = this.#lane.identity.digests;
    assert(target ?? digests.length === 0, 'the lane has no partition for digests');
    for (const records of digests) this.#take(batch, target!, records);
  }

  async #untilRoom(batch: Batch): Promise<void> {
    this.#events.onBuffered?.(this.#bufferedBytes);
    if (this.#open?.batch === batch && this.#isFull(batch)) this.#startClosing();
    while (!this.#hasRoom()) {
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
    }
    this.#throwIfFailed();
  }

  #fillingBatch(): Batch {
    if (this.#open && !this.#closing) return this.#open.batch;
    const batch = (this.#next ??= this.#newBatch());
    if (!this.#open) this.#begin();
    return batch;
  }

  #newBatch(): Batch {
    const committed = Promise.withResolvers<undefined>();
    // A flush may or may not be waiting for it.
    committed.promise.catch(() => undefined);
    const openedMs = this.#clock.monotonicMs();
    const age = new AbortController();
    return { queues: new Map(), entries: new Map(), openedMs, committed, age, records: 0, bytes: 0 };
  }

  /** Makes the filling batch the open one: begins its transaction and starts its clock. */
  #begin(): void {
    const batch = this.#next;
    assert(batch && !this.#open && !this.#closing);
    this.#next = undefined;
    const transaction = this.#lane.producer.begin();
    this.#open = { batch, transaction, begunMs: this.#clock.monotonicMs() };
    transaction.then(
      (begun) => {
        for (const queue of batch.queues.values()) queue.start(begun);
      },
      (error: unknown) => this.#fail(error),
    );
    const leftMs = this.#limits.transactionMs - (this.#clock.monotonicMs() - batch.openedMs);
    const wasAskedFor = batch.age.signal.aborted || this.#isFull(batch);
    if (wasAskedFor || leftMs <= 0) this.#startClosing();
    else this.#clock.sleep(leftMs, batch.age.signal).then(() => this.#startClosing(batch), ignoreAbort);
  }

  #queue(batch: Batch, target: TopicPartition): PartitionQueue {
    const name = partitionName(target);
    let queue = batch.queues.get(name);
    if (!queue) {
      queue = new PartitionQueue(target, { onSend: () => this.#onSend() });
      batch.queues.set(name, queue);
      if (this.#open?.batch === batch) {
        const started = queue;
        // The failure of `begin` is seen once, in #begin.
        this.#open.transaction.then((begun) => started.start(begun), ignoreAbort);
      }
    }
    return queue;
  }

  #isFull({ bytes }: Batch): boolean {
    return bytes >= this.#limits.transactionBytes * this.#pace.share;
  }

  #hasRoom(): boolean {
    return this.#bufferedBytes <= this.#limits.bufferBytes * this.#pace.bufferShare;
  }

  #onSend() {
    const startedMs = this.#clock.monotonicMs();
    // A transaction that is too old fails in a send that has only just begun.
    const openedMs = this.#open?.begunMs ?? startedMs;
    return {
      sent: (held: number) => {
        this.#pace.succeeded(startedMs, this.#clock.monotonicMs());
        if (!this.#failure) this.#release(held);
      },
      failed: (error: unknown) => {
        this.#pace.failed(openedMs, this.#clock.monotonicMs());
        this.#fail(error);
      },
    };
  }

  #startClosing(only?: Batch): void {
    if (this.#closing || !this.#open || (only && only !== this.#open.batch)) return;
    const { batch, transaction } = this.#open;
    batch.age.abort();
    this.#closing = this.#commit(batch, transaction).then(
      () => {
        this.#closing = undefined;
        this.#open = undefined;
        if (this.#next && !this.#failure) this.#begin();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  async #commit(batch: Batch, begun: Promise<Transaction>): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    const transaction = await begun;
    const entries = [...batch.entries].map(([key, entry]) => ({ key, value: encodeLedgerValue(entry) }));
    // Beside the last records: an answer may be long in coming, and nothing is read before the commit.
    await Promise.all([
      transaction.send(this.#lane.identity.ledger, entries),
      ...[...batch.queues.values()].map((queue) => queue.drain()),
    ]);
    this.#throwIfFailed();
    await transaction.commit();
    batch.committed.resolve(undefined);
    const { records, bytes } = batch;
    this.#events.onCommit?.({ records, bytes, ms: this.#clock.monotonicMs() - startMs });
  }

  #release(bytes: number): void {
    this.#bufferedBytes -= bytes;
    this.#events.onBuffered?.(this.#bufferedBytes);
    if (this.#hasRoom()) this.#wake();
  }

  #wake(): void {
    this.#room?.resolve(undefined);
    this.#room = undefined;
  }

  #fail(cause: unknown): void {
    if (this.#failure) return;
    this.#failure = isLaneInterrupted(cause) ? cause : laneInterrupted(cause);
    this.#ended.abort(this.#failure);
    this.#bufferedBytes = 0;
    this.#events.onBuffered?.(0);
    for (const batch of [this.#open?.batch, this.#next]) {
      batch?.age.abort();
      batch?.committed.reject(this.#failure);
      for (const queue of batch?.queues.values() ?? []) queue.abandon();
    }
    this.#wake();
  }

  /** Every send has answered: kafkajs must not be discarded under one that is still running. */
  async #settled(): Promise<void> {
    const queues = [this.#open?.batch, this.#next].flatMap((batch) => [...(batch?.queues.values() ?? [])]);
    await Promise.all(queues.map((queue) => queue.drain().catch(() => undefined)));
    await this.#closing;
  }
}

function ignoreAbort(): void {
  // An aborted age timer or a failed begin: both are dealt with where they arise.
}

/** True for the error with which a publisher ends; its cause is the call that failed, of which the outcome is unknown. */
export function isLaneInterrupted(error: unknown): error is LedgerError {
  return error instanceof LedgerError && error.code === 'lane-interrupted';
}

function laneInterrupted(cause: unknown): LedgerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError('lane-interrupted', `Publishing was interrupted: ${reason.replace(/\.?$/, '.')}`, { cause });
}
