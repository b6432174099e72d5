import assert from 'node:assert/strict';
import { settledWithin, systemClock, type Clock } from '@genesys-kafka/resilience';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { KafkaError } from '../../errors.ts';
import { partitionName } from '../../partition-name.ts';
import type { GroupBatch, GroupConsumer, GroupHandler, GroupOptions, TopicPartition } from '../../port.ts';
import type { Connection } from '../connection.ts';
import { toKafkaError } from '../errors-mapping.ts';
import { createCluster, replaceRequests } from '../internals.ts';
import { AssignedPartition, type PartitionHooks } from './assigned-partition.ts';
import { CommitOrder } from './commit-order.ts';
import { FetchGenerations } from './fetch-generations.ts';
import { batchOf, fetchForGroup } from './group-fetch.ts';
import { HeartbeatInterval } from './heartbeat-interval.ts';
import { PausedPartitions } from './paused-partitions.ts';
import { stickyAssigner } from './sticky-assigner.ts';
import { Tenure, type Membership } from './tenure.ts';

const MIB = 1024 * 1024;
/** kafkajs sleeps this long when everything is paused, so it is also the delay of a resume. */
const MAX_WAIT_MS = 100;
/** An outage of some minutes is waited out inside; then the group crashes and its owner decides. */
const RETRY = {
  initialRetryTime: 200,
  maxRetryTime: 5000,
  retries: 40,
  restartOnFailure: () => Promise.resolve(false),
};
/** Batches are only queued here, so one worker per partition costs nothing. */
const WORKERS = 32;
const JOIN_PATIENCE_MS = 30_000;
const JOIN_RETRY_MS = 500;
const LET_GO_MS = 10_000;
const LEAVE_MS = 5000;

type Offsets = Parameters<GroupConsumer['commit']>[0];

/**
 * See the port. kafkajs rebalances eagerly: every partition is revoked and assigned anew, pauses are lifted, and work
 * in hand is not waited for. `GroupAssignment.isCurrent` turns false on a rebalance, and on a `seek` of the partition.
 */
export class KafkajsGroupConsumer implements GroupConsumer {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #options: GroupOptions;
  readonly #consumer: Consumer;
  readonly #cluster: ReturnType<typeof replaceRequests>;
  readonly #fetches = new FetchGenerations();
  readonly #commits = new CommitOrder();
  readonly #tenure = new Tenure();
  readonly #paused: PausedPartitions;
  readonly #heartbeatInterval: HeartbeatInterval;
  #membership: Membership | undefined;
  readonly #assigned = new Map<string, AssignedPartition>();
  /** The last assignment, while it is ours or handed out anew. */
  #held: readonly TopicPartition[] = [];
  /** The handler has been told that what is assigned may go elsewhere. */
  #isRevoked = false;
  #wasReached = false;
  #handler: GroupHandler | undefined;
  #heartbeat: (() => Promise<void>) | undefined;
  #crashed: ((error: unknown) => void) | undefined;
  #state: 'new' | 'running' | 'stopping' | 'crashed' = 'new';
  #stopped: Promise<void> | undefined;

  constructor(connection: Connection, options: GroupOptions, clock: Clock = systemClock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#options = options;
    this.#paused = new PausedPartitions(clock);
    const sessionTimeout = options.sessionTimeoutMs ?? 30_000;
    const kafka = connection.kafka(RETRY);
    const heartbeatInterval = (this.#heartbeatInterval = new HeartbeatInterval(
      Math.min(3000, Math.floor(sessionTimeout / 3)),
      clock,
    ));
    this.#cluster = replaceRequests(kafka, {
      fetch: (broker, request) =>
        fetchForGroup(broker, request, {
          maxBytes: connection.maxDecompressedBytes,
          generation: this.#fetches.of(String(broker.nodeId)),
          wants: options.wants,
          soon: this.#paused.soon,
        }),
      isCommitWanted: () => this.#commits.isWanted(),
      isJoinDue: () => this.#state === 'running' && this.#isRevoked,
      onHeartbeat: () => heartbeatInterval.beaten(),
      onSync: (membership) => (this.#membership = membership),
    });
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout,
      heartbeatInterval: heartbeatInterval as unknown as number,
      maxBytes: options.maxFetchBytes ?? MIB,
      maxBytesPerPartition: options.maxFetchBytes ?? MIB,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      retry: RETRY,
      ...(options.keepsPartitions ? { partitionAssigners: [stickyAssigner(() => this.#held)] } : {}),
    });
  }

  get silentMs(): number {
    return this.#heartbeatInterval.silentMs;
  }

  async start(handler: GroupHandler): Promise<void> {
    assert.equal(this.#state, 'new', 'a group consumer starts once');
    this.#state = 'running';
    this.#handler = handler;
    this.#listen();
    const started = this.#clock.monotonicMs();
    for (;;) {
      try {
        await this.#join();
        return;
      } catch (error) {
        const failure = this.#toError(error, 'join');
        // A wrong address is told at once; whoever was reached may go for a moment.
        const isMoving = failure.retry && (failure.code === 'broker-not-ready' || this.#wasReached);
        const patient = isMoving && this.#clock.monotonicMs() - started < JOIN_PATIENCE_MS;
        if (!patient || this.#stopped) {
          this.#state = 'crashed';
          await this.#leave();
          throw failure;
        }
        await this.#clock.sleep(JOIN_RETRY_MS);
      }
    }
  }

  async commit(offsets: Offsets): Promise<void> {
    const own = offsets.filter((target) => this.#assigned.has(partitionName(target)));
    const foreign = offsets.find((target) => !this.#assigned.has(partitionName(target)));
    if (own.length > 0) {
      const places = own.map(({ topic, partition, offset, note }) => ({
        topic,
        partition,
        offset: offset.toString(),
        metadata: this.#options.commitNote?.(topic, note) ?? note ?? null,
      }));
      try {
        await this.#commits.run(own, () => this.#consumer.commitOffsets(places));
      } catch (error) {
        throw this.#toError(error, 'commit offsets in');
      }
    }
    if (foreign) throw this.#notAssigned(foreign);
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const target of partitions) this.#current(target)?.pause();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const target of partitions) this.#current(target)?.resume();
  }

  seek(target: TopicPartition, offset: bigint): void {
    const partition = this.#current(target);
    if (!partition) throw this.#notAssigned(target);
    partition.forget();
    try {
      this.#consumer.seek({ ...target, offset: offset.toString() });
    } catch (error) {
      throw this.#toError(error, `seek ${partitionName(target)} in`);
    }
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  /** The patience that suits a running consumer would keep a wrong address secret for minutes. */
  async #reachable(): Promise<void> {
    const cluster = createCluster(this.#connection.kafka());
    try {
      await cluster.connect();
    } finally {
      await settledWithin(cluster.disconnect(), LEAVE_MS);
    }
  }

  async #stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping';
      // Still a member: what the handlers finish now may be committed.
      const partitions = [...this.#assigned.values()];
      this.#tell();
      await settledWithin(Promise.all(partitions.map((partition) => partition.idle())), LET_GO_MS);
      for (const partition of partitions) partition.end();
      this.#clear();
    }
    await this.#leave();
  }

  async #leave(): Promise<void> {
    await settledWithin(this.#consumer.disconnect(), LEAVE_MS);
    this.#cluster.endConnecting();
  }

  /** kafkajs does not try again where a coordinator is still loading, as it is for a while after a broker's start. */
  async #join(): Promise<void> {
    await this.#reachable();
    this.#wasReached = true;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    const crashed = Promise.withResolvers<never>();
    crashed.promise.catch(() => undefined);
    this.#crashed = (error) => {
      crashed.reject(error);
    };
    // kafkajs resolves run() even where joining the group failed, and tells of it by an event.
    const running = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: WORKERS,
      eachBatch: (payload) => this.#take(payload),
    });
    const joined = running.then(() => {
      this.#crashed = (error) => {
        this.#crash(this.#toError(error, 'go on with'));
      };
    });
    await Promise.race([joined, crashed.promise]);
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.REBALANCING, () => this.#revoke());
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#heartbeatInterval.beaten();
      this.#fetches.joined();
      this.#commits.joined();
      const targets = targetsOf(payload.memberAssignment);
      this.#tellLost(targets);
      this.#revoke();
      this.#clear();
      this.#assign(targets);
    });
    this.#consumer.on(events.FETCH_START, ({ payload }) => {
      this.#fetches.fetchStarted(String((payload as { readonly nodeId?: unknown }).nodeId));
    });
    this.#consumer.on(events.CRASH, ({ payload }) => this.#crashed?.(payload.error));
  }

  /** kafkajs delivers; not resolving an offset means that it fetches from the same place again. */
  async #take(payload: EachBatchPayload): Promise<void> {
    this.#heartbeat = () => payload.heartbeat();
    if (!payload.isRunning() || payload.isStale()) return;
    const { batch, generation } = batchOf(payload.batch);
    if (this.#fetches.isCurrent(generation) && this.#offer(batch) && !batch.outOfRange)
      payload.resolveOffset(payload.batch.lastOffset());
  }

  #offer(batch: GroupBatch): boolean {
    if (this.#state !== 'running') return false;
    return this.#assigned.get(partitionName(batch))?.offer(batch) ?? false;
  }

  #tellLost(targets: readonly TopicPartition[]): void {
    const follows = this.#tenure.follows(this.#membership!);
    const kept = new Set(follows ? targets.map(partitionName) : []);
    const lost = this.#held.filter((target) => !kept.has(partitionName(target)));
    if (lost.length > 0) this.#handler?.onLost?.(lost);
  }

  #assign(targets: readonly TopicPartition[]): void {
    if (this.#state !== 'running') return;
    this.#held = targets;
    for (const target of targets) {
      const partition = new AssignedPartition(target, this.#handler!, this.#hooks());
      this.#assigned.set(partitionName(target), partition);
    }
    this.#handler?.onAssigned?.(targets);
  }

  /**
   * Ends the work, and lets the handler commit what is finished: until the next generation begins this one's commits are
   * good, and kafkajs sends what is asked for now before it joins again.
   */
  #revoke(): void {
    if (!this.#isRevoked) for (const partition of this.#assigned.values()) partition.end();
    this.#tell();
  }

  #tell(): void {
    if (this.#isRevoked) return;
    this.#isRevoked = true;
    const targets = [...this.#assigned.values()].map(({ target }) => target);
    if (targets.length > 0) this.#handler?.onRevoked?.(targets);
  }

  #clear(): void {
    this.#assigned.clear();
    this.#isRevoked = false;
  }

  #hooks(): PartitionHooks {
    return {
      pause: ({ topic, partition }) => {
        this.#paused.paused(partitionName({ topic, partition }));
        unlessGone(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
      },
      resume: ({ topic, partition }) => {
        unlessGone(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
        this.#paused.resumed(partitionName({ topic, partition }));
      },
      heartbeat: async () => {
        try {
          await this.#heartbeat?.();
        } catch (error) {
          throw this.#toError(error, 'stay in');
        }
      },
      failed: (error) => this.#crash(error),
    };
  }

  #crash(error: unknown): void {
    if (this.#state !== 'running') return;
    this.#state = 'crashed';
    this.#revoke();
    void this.stop();
    this.#handler?.onCrash(error instanceof Error && !isKafkajs(error) ? error : this.#toError(error, 'go on with'));
  }

  /** Undefined also while the group is being handed out anew: then a commit is all that is left. */
  #current(target: TopicPartition): AssignedPartition | undefined {
    return this.#isRevoked ? undefined : this.#assigned.get(partitionName(target));
  }

  #notAssigned(target: TopicPartition): KafkaError {
    return new KafkaError(
      'partition-not-assigned',
      `${partitionName(target)} is not assigned to this member of ${this.#options.groupId} (any more).`,
    );
  }

  #toError(error: unknown, doing: string): KafkaError {
    const { groupId, topics } = this.#options;
    return toKafkaError(error, {
      doing: `${doing} the group ${groupId} (${topics.join(', ')})`,
      brokers: this.#connection.brokers,
      details: { groupId },
    });
  }
}

function targetsOf(assignment: Readonly<Record<string, readonly number[]>>): TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

function isKafkajs(error: Error): boolean {
  return error.name.startsWith('KafkaJS');
}

/** kafkajs forgets its group before it tells of a crash, and then throws: there is nothing left to pause. */
function unlessGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Error) || !isKafkajs(error)) throw error;
  }
}
