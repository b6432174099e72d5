import {
  partitionName,
  type GroupAssignment,
  type GroupBatch,
  type GroupConsumer,
  type GroupHandler,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { PartitionFlow, type FlowLimits } from './partition-flow.ts';
import type { Work } from './work.ts';

export interface GroupSettings {
  readonly limits: FlowLimits;
  /** Positions are committed this often at most … */
  readonly commitEveryMs: number;
  /** … or when one partition has moved this far. */
  readonly commitRecords: number;
  /** How long requests in flight may take to end when partitions are taken away, … */
  readonly revokeGraceMs: number;
  /** … and when the program is told to stop. */
  readonly stopGraceMs: number;
}

export interface RouteGroupOptions {
  readonly consumer: GroupConsumer;
  readonly settings: GroupSettings;
  readonly work: Work;
  /** Rejects when records between what was committed (or read) and the log's start are gone for good. */
  readonly checkGap: (partition: TopicPartition, readUpTo: bigint | undefined) => Promise<void>;
  readonly onCommitFailure: (error: unknown) => void;
}

interface Held extends TopicPartition {
  readonly flow: PartitionFlow;
  committed: bigint | undefined;
  paused: boolean | undefined;
}

/**
 * One route's membership of its consumer group: which partitions it holds, what of them is in hand, when they pause,
 * and what is committed. The batch handler never waits for a sink: it hands records to the partition's flow and
 * returns, so that heartbeats go on whatever the target does; a full flow pauses its partition.
 */
export class RouteGroup implements GroupHandler {
  readonly #options: RouteGroupOptions;
  readonly #held = new Map<string, Held>();
  /** Flows that were taken away and still have requests in flight, by partition. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #end = Promise.withResolvers<undefined>();
  #generation = 0;
  #stopping = false;
  #commitTimer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();
  #nextCommit: Promise<void> | undefined;

  constructor(options: RouteGroupOptions) {
    this.#options = options;
    this.#end.promise.catch(() => undefined);
  }

  /**
   * Joins and works until `signal` aborts, then ends in this order: nothing new, requests in flight finished within
   * the grace time, positions committed, group left. Rejects with what made the group unreadable.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const stop = () => this.#end.resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      // Told to stop while the brokers are away: joining would go on for minutes.
      await Promise.race([this.#options.consumer.start(this), this.#end.promise]);
      await this.#end.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#finish();
    }
  }

  /** Whether the broker has given this member its part, even if that is nothing. */
  get joined(): boolean {
    return this.#generation > 0;
  }

  get inFlight(): { readonly records: number; readonly bytes: number } {
    let [records, bytes] = [0, 0];
    for (const { flow } of this.#held.values()) {
      records += flow.inFlight.records;
      bytes += flow.inFlight.bytes;
    }
    return { records, bytes };
  }

  /** How far each assigned partition is finished, once something of it has been read. */
  get positions(): readonly (TopicPartition & { readonly position: bigint })[] {
    return [...this.#held.values()].flatMap(({ topic, partition, flow }) => {
      const { position } = flow;
      return position === undefined ? [] : [{ topic, partition, position }];
    });
  }

  async onBatch(batch: GroupBatch, assignment: GroupAssignment): Promise<void> {
    if (!assignment.isCurrent()) return;
    const held = this.#held.get(partitionName(batch)) ?? this.#hold(batch);
    const first = batch.records[0];
    const expected = held.flow.expected;
    // A jump within one assignment is normal where a transaction was aborted, and a loss where retention overtook us.
    if (first !== undefined && expected !== undefined && first.offset > expected) {
      try {
        await this.#options.checkGap(batch, expected);
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
    if (this.#held.get(partitionName(batch)) === held) held.flow.accept(batch);
  }

  onAssigned(partitions: readonly TopicPartition[]): void {
    this.#generation += 1;
    this.#release([...this.#held.values()]);
    for (const partition of partitions) this.#hold(partition);
  }

  onRevoked(partitions: readonly TopicPartition[]): void {
    // What is finished until now, and nothing that finishes later.
    void this.#commitNow(this.#moved());
    this.#release(partitions);
  }

  onCrash(error: Error): void {
    this.#fail(error);
  }

  #hold({ topic, partition }: TopicPartition): Held {
    const name = partitionName({ topic, partition });
    const earlier = this.#ending.get(name) ?? Promise.resolve();
    const flow = new PartitionFlow({
      limits: this.#options.settings.limits,
      work: this.#options.work,
      after: Promise.all([earlier, this.#options.checkGap({ topic, partition }, undefined)]).then(() => undefined),
      onChange: () => this.#changed(held),
      onFailure: (error) => this.#fail(error),
    });
    const held: Held = { topic, partition, flow, committed: undefined, paused: undefined };
    this.#held.set(name, held);
    this.#pauseOrResume(held);
    return held;
  }

  #release(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = partitionName(partition);
      const held = this.#held.get(name);
      if (!held) continue;
      this.#held.delete(name);
      const ended = Promise.all([held.flow.stop(this.#options.settings.revokeGraceMs), this.#ending.get(name)]).then(
        () => {
          if (this.#ending.get(name) === ended) this.#ending.delete(name);
        },
      );
      this.#ending.set(name, ended);
    }
  }

  #changed(held: Held): void {
    if (this.#held.get(partitionName(held)) !== held) return;
    this.#pauseOrResume(held);
    const position = held.flow.position;
    if (position === undefined || position === held.committed) return;
    if (held.committed !== undefined && position - held.committed >= this.#options.settings.commitRecords) {
      void this.#commit();
      return;
    }
    this.#commitTimer ??= setTimeout(() => void this.#commit(), this.#options.settings.commitEveryMs);
  }

  #pauseOrResume(held: Held): void {
    const pause = held.flow.holding || this.#stopping;
    if (pause === held.paused) return;
    held.paused = pause;
    if (pause) this.#options.consumer.pause([held]);
    else this.#options.consumer.resume([held]);
  }

  /**
   * Commits what has moved. One commit at a time, so that an earlier one never lands after a later one, and at most one
   * waits behind it: whoever asks meanwhile shares that, or a slow coordinator would face a queue without end.
   */
  async #commit(): Promise<void> {
    clearTimeout(this.#commitTimer);
    this.#commitTimer = undefined;
    if (this.#nextCommit === undefined) {
      this.#nextCommit = this.#committing.then(async () => {
        this.#nextCommit = undefined;
        await this.#commitNow(this.#moved());
      });
      this.#committing = this.#nextCommit;
    }
    await this.#nextCommit;
  }

  #moved(): { readonly held: Held; readonly offset: bigint }[] {
    return [...this.#held.values()].flatMap((held) => {
      const offset = held.flow.position;
      return offset === undefined || offset === held.committed ? [] : [{ held, offset }];
    });
  }

  async #commitNow(moved: readonly { readonly held: Held; readonly offset: bigint }[]): Promise<void> {
    if (moved.length === 0) return;
    const { consumer, settings, onCommitFailure } = this.#options;
    try {
      await consumer.commit(
        moved.map(({ held, offset }) => ({ topic: held.topic, partition: held.partition, offset })),
      );
      for (const { held, offset } of moved) held.committed = offset;
    } catch (error) {
      // Nothing is lost: after a restart these records come again, with the same idempotency keys.
      onCommitFailure(error);
      if (!this.#stopping) this.#commitTimer ??= setTimeout(() => void this.#commit(), settings.commitEveryMs);
    }
  }

  #fail(error: unknown): void {
    this.#end.reject(error);
  }

  async #finish(): Promise<void> {
    this.#stopping = true;
    const held = [...this.#held.values()];
    for (const one of held) this.#pauseOrResume(one);
    await Promise.all(held.map(async ({ flow }) => flow.stop(this.#options.settings.stopGraceMs)));
    await Promise.all(this.#ending.values());
    await this.#commit();
    await this.#options.consumer.stop();
  }
}
