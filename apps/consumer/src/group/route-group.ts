import {
  partitionName,
  type GroupAssignment,
  type GroupBatch,
  type GroupConsumer,
  type GroupHandler,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { isRetryable, within } from '@genesys-kafka/resilience';
import type { FlowFactory } from './flow.ts';
import type { GroupPlaces } from './group-places.ts';
import { movedOf, placeOf, standing, type Held, type Moved, type Place } from './held.ts';

export interface GroupSettings {
  /** Positions are committed this often at most … */
  readonly commitEveryMs: number;
  /** … or when one partition has moved this far. */
  readonly commitRecords: number;
  /** How long requests in flight may take to end when partitions are taken away, … */
  readonly revokeGraceMs: number;
  /** … and when the program is told to stop. */
  readonly stopGraceMs: number;
  /** How long brokers may take for the commit after that: those that are away would keep the program for minutes. */
  readonly lastCommitMs: number;
}

export interface RouteGroupOptions {
  readonly consumer: GroupConsumer;
  readonly settings: GroupSettings;
  readonly flowOf: FlowFactory;
  readonly places: Pick<GroupPlaces, 'goOnAt' | 'kept' | 'checkTopics' | 'askAnew'>;
  /** The route is paused as its membership begins. */
  readonly isPaused?: boolean;
  /** Told once: the broker has given this member its part. */
  readonly onJoined?: () => void;
  readonly onCommitFailure: (error: unknown) => void;
}

/**
 * One route's membership of its consumer group: which partitions it holds, what of them is in hand, when they pause,
 * and what is committed. The batch handler never waits for a sink: it hands records to the partition's flow and
 * returns, so that heartbeats go on whatever the target does; a full flow pauses its partition. A route that is paused
 * stays a member: what is in flight ends and is committed, nothing else is begun, and no offset moves.
 */
export class RouteGroup implements GroupHandler {
  readonly #options: RouteGroupOptions;
  readonly #held = new Map<string, Held>();
  /** Flows that were taken away and still have requests in flight, by partition. */
  readonly #ending = new Map<string, Promise<void>>();
  /** The same, each by itself: of one partition there may be several. */
  readonly #letGoing = new Set<Held>();
  readonly #end = Promise.withResolvers<undefined>();
  #assigned: readonly TopicPartition[] = [];
  /** The last assignment, until the next one: while a group is handed out anew nobody else has it. */
  #shown: readonly TopicPartition[] | undefined;
  /** Where flows that were let go stood, by partition of the last assignment. */
  readonly #left = new Map<string, Place>();
  #isPaused: boolean;
  #generation = 0;
  #stopping = false;
  #commitTimer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();
  #nextCommit: Promise<void> | undefined;

  constructor(options: RouteGroupOptions) {
    this.#options = options;
    this.#isPaused = options.isPaused ?? false;
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

  /** How long ago a broker last answered this member, in milliseconds. */
  get silentMs(): number {
    return this.#options.consumer.silentMs;
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

  /**
   * How far each assigned partition has come, also while the route is paused or the group is handed out anew; undefined
   * where nobody knows yet. All of it is while this is no member.
   */
  get assigned(): readonly (Place | undefined)[] | undefined {
    return this.#shown?.map((target) => {
      const name = partitionName(target);
      const held = this.#held.get(name);
      return (held && placeOf(held)) ?? this.#left.get(name);
    });
  }

  /** Takes effect at once, and again after each rebalance until it is called anew. */
  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    if (this.#stopping) return;
    if (isPaused) {
      this.#release([...this.#held.values()]);
      this.#options.consumer.pause(this.#assigned);
    } else {
      for (const target of this.#assigned) this.#hold(target);
    }
  }

  async onBatch(batch: GroupBatch, assignment: GroupAssignment): Promise<void> {
    if (!assignment.isCurrent() || this.#isPaused) return;
    const held = this.#held.get(partitionName(batch)) ?? this.#hold(batch);
    const isHeld = () => this.#held.get(partitionName(batch)) === held && assignment.isCurrent();
    try {
      await held.begun;
      const { expected } = held.flow;
      if (!isHeld() || expected === undefined) return;
      if (batch.from !== expected) {
        // The client moved by itself, as it may when leaders move.
        this.#options.consumer.seek(batch, expected);
      } else if (batch.outOfRange) {
        const goOn = await this.#options.places.goOnAt(batch, expected, true);
        if (isHeld()) this.#goOnAt(held, goOn);
      } else {
        held.flow.accept(batch);
      }
    } catch (error) {
      // What was taken away in the meantime is somebody else's to answer for.
      if (isHeld()) this.#fail(error);
    }
  }

  onAssigned(partitions: readonly TopicPartition[]): void {
    if (!this.joined) this.#options.onJoined?.();
    this.#generation += 1;
    this.#options.places.askAnew();
    this.#release([...this.#held.values()]);
    this.#assigned = this.#shown = partitions;
    // What was another member's in between stands elsewhere.
    const assigned = new Set(partitions.map(partitionName));
    for (const name of this.#left.keys()) if (!assigned.has(name)) this.#left.delete(name);
    if (this.#isPaused) this.#stand(partitions);
    else for (const partition of partitions) this.#hold(partition);
  }

  /** A paused route is known to be where it stands, and nothing is begun there. */
  #stand(partitions: readonly TopicPartition[]): void {
    this.#options.consumer.pause(partitions);
    for (const target of partitions) {
      const name = partitionName(target);
      const isStill = () => this.#isPaused && !this.#held.has(name) && this.#assigned.includes(target);
      this.#options.places.goOnAt(target).then(
        (position) => {
          if (isStill()) this.#left.set(name, standing({ ...target, position, density: 1 }));
        },
        (error: unknown) => {
          if (isStill()) this.#fail(error);
        },
      );
    }
  }

  onRevoked(partitions: readonly TopicPartition[]): void {
    // At once: nothing may be handed out anew before it. What ends after this is committed if there is still time.
    void this.#commitNow(this.#moved());
    this.#release(partitions);
    const revoked = new Set(partitions.map(partitionName));
    this.#assigned = this.#assigned.filter((target) => !revoked.has(partitionName(target)));
  }

  onLost(partitions: readonly TopicPartition[]): void {
    const lost = new Set(partitions.map(partitionName));
    for (const held of [...this.#held.values(), ...this.#letGoing]) if (lost.has(held.name)) held.isLost = true;
    for (const name of lost) this.#left.delete(name);
  }

  onCrash(error: Error): void {
    this.#fail(error);
  }

  /** `start` where it is known; otherwise it is asked for, once earlier work on the partition has ended. */
  #hold({ topic, partition }: TopicPartition, start?: bigint): Held {
    const name = partitionName({ topic, partition });
    const begun = this.#begin(() => held, this.#ending.get(name), start);
    begun.catch((error: unknown) => {
      if (this.#held.get(name) === held) this.#fail(error);
    });
    const flow = this.#options.flowOf(
      { topic, partition },
      {
        onChange: () => this.#changed(held),
        // What was taken away in the meantime is somebody else's to answer for.
        onFailure: (error) => {
          if (this.#held.get(name) === held) this.#fail(error);
        },
        commit: async () => this.#commitPlace(held),
      },
    );
    const held: Held = { name, topic, partition, flow, begun, committed: undefined, paused: undefined, isLost: false };
    this.#held.set(name, held);
    this.#pauseOrResume(held);
    return held;
  }

  async #begin(held: () => Held, earlier: Promise<void> | undefined, start: bigint | undefined): Promise<void> {
    // What earlier work has finished is committed when it has ended: asked for before that, it would come again.
    await earlier;
    // A question that was asked before that knows of an earlier place.
    if (earlier) this.#options.places.askAnew();
    const one = held();
    const { flow, topic, partition } = one;
    const target = { topic, partition };
    const { places, consumer } = this.#options;
    const offset = start ?? (await places.goOnAt(target));
    const from = await flow.begin(offset, async () => (start === undefined ? places.kept(target) : undefined));
    if (this.#held.get(one.name) !== one) return;
    // The client has asked for itself where it stands. Where that is the log's end, no batch comes that would show it.
    consumer.seek(target, from);
  }

  #goOnAt(held: Held, offset: bigint): void {
    if (offset === held.flow.expected) this.#options.consumer.seek(held, offset);
    else {
      this.#release([held]);
      this.#hold(held, offset);
    }
  }

  #release(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = partitionName(partition);
      const held = this.#held.get(name);
      if (!held) continue;
      this.#held.delete(name);
      const place = held.isLost ? undefined : placeOf(held);
      if (place) this.#left.set(name, standing(place));
      const ended = this.#letGo(held, this.#ending.get(name)).finally(() => {
        if (this.#ending.get(name) === ended) this.#ending.delete(name);
      });
      this.#ending.set(name, ended);
    }
  }

  async #letGo(held: Held, earlier: Promise<void> | undefined): Promise<void> {
    this.#letGoing.add(held);
    await Promise.all([held.flow.stop(this.#options.settings.revokeGraceMs), earlier]);
    this.#letGoing.delete(held);
    const { position } = held.flow;
    const left = this.#left.get(held.name);
    if (left && position !== undefined) this.#left.set(held.name, standing({ ...left, position }));
    const moved = movedOf(held);
    if (moved) await this.#commitNow([moved]);
  }

  #changed(held: Held): void {
    if (this.#held.get(held.name) !== held) return;
    this.#pauseOrResume(held);
    const place = movedOf(held)?.place;
    if (!place) return;
    if (held.committed && place.offset - held.committed.offset >= this.#options.settings.commitRecords) {
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
        await this.#checkAndCommit();
      });
      this.#committing = this.#nextCommit;
    }
    await this.#nextCommit;
  }

  /** A position in a topic that was made anew in the meantime must not become the group's. */
  async #checkAndCommit(): Promise<void> {
    const moved = this.#moved();
    if (moved.length === 0) return;
    try {
      await this.#options.places.checkTopics(moved.map(({ held }) => held.topic));
    } catch (error) {
      if (isRetryable(error)) this.#notCommitted(error);
      else this.#fail(error);
      return;
    }
    await this.#commitNow(moved.filter(({ held }) => this.#held.get(held.name) === held));
  }

  #moved(): Moved[] {
    return [...this.#held.values()].flatMap((held) => movedOf(held) ?? []);
  }

  async #commitPlace(held: Held): Promise<boolean> {
    const { position, note } = held.flow;
    await this.#commit();
    const { committed } = held;
    return this.#held.get(held.name) === held && committed?.offset === position && committed?.note === note;
  }

  async #commitNow(moved: readonly Moved[]): Promise<void> {
    if (moved.length === 0) return;
    try {
      await this.#options.consumer.commit(
        moved.map(({ held: { topic, partition }, place }) => ({ topic, partition, ...place })),
      );
      for (const { held, place } of moved) held.committed = place;
    } catch (error) {
      this.#notCommitted(error);
    }
  }

  /** Nothing is lost: after a restart these records come again, with the same idempotency keys. */
  #notCommitted(error: unknown): void {
    this.#options.onCommitFailure(error);
    if (this.#stopping) return;
    this.#commitTimer ??= setTimeout(() => void this.#commit(), this.#options.settings.commitEveryMs);
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
    const late = () => new Error('The brokers did not answer in time.');
    await within(this.#commit(), this.#options.settings.lastCommitMs, late).catch((error: unknown) =>
      this.#notCommitted(error),
    );
    this.#shown = undefined;
    await this.#options.consumer.stop();
  }
}
