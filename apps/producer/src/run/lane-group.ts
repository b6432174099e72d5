import type { GroupConsumer, GroupHandler } from '@genesys-kafka/kafka';
import { backoffMs, OperationalError, untilAborted, type Clock } from '@genesys-kafka/resilience';

const JOIN_AGAIN = { initialMs: 1000, factor: 2, maxMs: 30_000, jitterMs: 1000 };

interface LaneGroupOptions {
  /** A new member of the group on the ledger's partitions. */
  readonly member: () => GroupConsumer;
  /** All lanes that are ours from now on; resolves when those that are not any more have been let go. */
  readonly onLanes: (lanes: readonly number[]) => Promise<void>;
  readonly onTrouble: (error: OperationalError) => void;
  readonly clock: Clock;
}

/**
 * Shares the lanes among the processes of `run`: they are the partitions of the ledger, and this process a member of a
 * consumer group on it. Nothing is read or committed by the group: its partitions are paused as soon as they are given.
 */
export class LaneGroup {
  readonly #options: LaneGroupOptions;
  #wasJoined = false;
  #isJoined = false;

  constructor(options: LaneGroupOptions) {
    this.#options = options;
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /**
   * A member until `signal` aborts; then lets its lanes go, leaves, and resolves. A group that can no longer be read is
   * joined again. Rejects where it cannot be joined at the start, and with bugs.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { member, onLanes, onTrouble, clock } = this.#options;
    const isStopped = () => signal.aborted;
    for (let attempt = 0; !isStopped(); attempt += 1) {
      const consumer = member();
      const before = this.#wasJoined;
      try {
        await this.#belong(consumer, signal);
      } catch (error) {
        if (!isStopped()) {
          if (!(error instanceof OperationalError) || (!this.#wasJoined && !error.retry)) throw error;
          onTrouble(error);
        }
      } finally {
        this.#isJoined = false;
        // Before the others may have them: what is whole is committed.
        await onLanes([]);
        await consumer.stop();
      }
      if (this.#wasJoined && !before) attempt = 0;
      if (!isStopped()) await clock.sleep(backoffMs(JOIN_AGAIN, attempt), signal).catch(() => undefined);
    }
  }

  async #belong(consumer: GroupConsumer, signal: AbortSignal): Promise<never> {
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    const handler: GroupHandler = {
      onBatch: async () => undefined,
      onAssigned: (partitions) => {
        consumer.pause(partitions);
        this.#wasJoined = true;
        this.#isJoined = true;
        this.#options.onLanes(partitions.map(({ partition }) => partition)).catch(ended.reject);
      },
      onCrash: ended.reject,
    };
    const stopped = untilAborted(signal);
    stopped.catch(() => undefined);
    await Promise.race([consumer.start(handler), stopped]);
    return Promise.race([ended.promise, stopped]);
  }
}
