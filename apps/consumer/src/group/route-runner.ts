import {
  KafkaError,
  type GroupOptions,
  type KafkaClient,
  type KafkaErrorCode,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { backoffMs, isRetryable, type Clock, type OperationalError } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import { noteWithTopicId } from './commit-note.ts';
import type { FlowFactory } from './flow.ts';
import { GroupPlaces } from './group-places.ts';
import { RouteGroup, type GroupSettings } from './route-group.ts';

export interface RouteRunnerOptions {
  readonly route: string;
  readonly groupId: string;
  /** The main topic and the retry topics. */
  readonly topics: readonly string[];
  readonly flowOf: FlowFactory;
  readonly wants?: GroupOptions['wants'];
  readonly client: KafkaClient;
  readonly settings: GroupSettings;
  readonly sessionTimeoutMs: number;
  /** The most that one fetch is to bring. */
  readonly maxFetchBytes: number;
  readonly acceptGap: boolean;
  /** Without an offset it never had one, beyond doubt. */
  readonly isNew: boolean;
  readonly startOf: (target: TopicPartition) => bigint | undefined;
  /** Kept with the offsets, beside the topic's id: the rules that they were reached by. */
  readonly commitNote: string;
  /** Whether the route is paused, by hand; asked as a membership begins, and by `pauseChanged`. */
  readonly isPaused: () => boolean;
  /** Told of each membership as it begins. */
  readonly onJoin: (group: RouteGroup) => void;
  /** Told where offsets were not committed, other than in a rebalance. */
  readonly onCommitFailure: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Each joining rebalances the other members; in a rolling restart each broker in turn may ask for one. */
const BACKOFF = { initialMs: 1000, factor: 2, maxMs: 15_000, jitterMs: 1000 };
/** A membership that held this long once it had its part was sound: the next failure begins with the shortest wait. */
const SOUND_MS = 30_000;
/** A broker that has just started makes and loads its group coordinators: for this long that is no trouble. */
const STARTING_MS = 10_000;
const MOVING_ON = new Set<KafkaErrorCode>(['partition-not-assigned', 'rebalance-in-progress']);
/**
 * One of the producer's batches, which unpack to about eight times as much, and the transaction's marker before it: with
 * less, every other fetch would bring a marker and the beginning of a batch, which is thrown away; with more, more lies
 * in memory at a time.
 */
const MAX_FETCH_BYTES = 256 * 1024;

/** Keeps one route's membership: a group that can be read again later is rejoined with backoff, anything else ends it. */
export class RouteRunner {
  readonly #options: RouteRunnerOptions;
  readonly #topicIds = new Map<string, string>();
  #group: RouteGroup | undefined;

  get route(): string {
    return this.#options.route;
  }

  get groupId(): string {
    return this.#options.groupId;
  }

  constructor(options: RouteRunnerOptions) {
    this.#options = options;
  }

  /** Why this route is not being worked on; undefined while it is. */
  get notReady(): string | undefined {
    const { route, sessionTimeoutMs } = this.#options;
    if (this.#group?.joined !== true) return `route ${route} has not joined its group`;
    const { silentMs } = this.#group;
    if (silentMs <= sessionTimeoutMs) return undefined;
    return `no broker has answered the group of route ${route} for ${Math.floor(silentMs / 1000)} s`;
  }

  /** The route's pause has changed. */
  pauseChanged(): void {
    this.#group?.setPaused(this.#options.isPaused());
  }

  /** Works until `signal` aborts and all is committed; rejects with what cannot be waited out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const begunMs = clock.monotonicMs();
    for (let attempt = 0; ; attempt += 1) {
      let joinedMs = Infinity;
      try {
        await this.#join(signal, () => {
          joinedMs = clock.monotonicMs();
        });
        return;
      } catch (error) {
        if (!isRetryable(error) && !this.#isUnknownForNow(error)) throw error;
        if (clock.monotonicMs() - joinedMs > SOUND_MS) attempt = 0;
        const waitMs = backoffMs(BACKOFF, attempt);
        this.#tell(error, waitMs, clock.monotonicMs() - begunMs < STARTING_MS ? 'debug' : 'warn');
        // Rejects when it is time to stop: nothing is in hand here, and nobody is waiting for it.
        await clock.sleep(waitMs, signal);
      } finally {
        this.#group = undefined;
      }
    }
  }

  /**
   * A broker that has just started does not know a topic for a moment. Whether it is gone is asked before the next
   * joining, which then ends the run.
   */
  #isUnknownForNow(error: unknown): error is KafkaError {
    return error instanceof KafkaError && error.code === 'topic-missing' && this.#group?.joined === true;
  }

  /** In words, without a stack: it is waited out. What ends the run is told by whoever started it. */
  #tell(error: OperationalError, waitMs: number, level: 'debug' | 'warn'): void {
    const { route, log } = this.#options;
    const details = { route, code: error.code, reason: error.message, waitMs: Math.round(waitMs) };
    log[level](details, 'the group cannot be read; joining it again');
  }

  async #join(signal: AbortSignal, onJoined: () => void): Promise<void> {
    const { route, groupId, topics, flowOf, wants, client, settings, sessionTimeoutMs, onJoin, log } = this.#options;
    const places = new GroupPlaces({
      admin: client.admin,
      groupId,
      topicIds: this.#topicIds,
      isNew: this.#options.isNew,
      startOf: this.#options.startOf,
      accept: this.#options.acceptGap,
      onAccepted: (error) => log.error({ err: error, route }, 'records are gone; going on as asked'),
      clock: this.#options.clock,
    });
    // Before anything is taken: what is gone is told without joining.
    for (const topic of topics) {
      const partitions = await client.admin.offsets(topic);
      await Promise.all(partitions.map(async ({ partition }) => places.goOnAt({ topic, partition })));
    }
    const group = new RouteGroup({
      consumer: client.groupConsumer({
        groupId,
        topics,
        sessionTimeoutMs,
        wants,
        commitNote: (topic, own) => {
          const note = own === undefined ? this.#options.commitNote : `${own} ${this.#options.commitNote}`;
          return noteWithTopicId(note, this.#topicIds.get(topic));
        },
        maxFetchBytes: Math.min(MAX_FETCH_BYTES, this.#options.maxFetchBytes),
      }),
      settings,
      flowOf,
      places,
      isPaused: this.#options.isPaused(),
      onJoined,
      onCommitFailure: (error) => {
        // Normal in a rebalance: the partitions are on their way to another member, which reads these records again.
        if (error instanceof KafkaError && MOVING_ON.has(error.code)) {
          log.debug({ err: error, route }, 'too late');
          return;
        }
        this.#options.onCommitFailure();
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ route, reason }, 'offsets were not committed; these records may be delivered again');
      },
    });
    this.#group = group;
    onJoin(group);
    await group.run(signal);
  }
}
