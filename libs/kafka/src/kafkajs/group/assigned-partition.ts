import type { GroupAssignment, GroupBatch, GroupHandler, TopicPartition } from '../../port.ts';

export interface PartitionHooks {
  /** Stops and starts fetching of the partition. */
  pause(target: TopicPartition): void;
  resume(target: TopicPartition): void;
  heartbeat(): Promise<void>;
  /** The handler rejected: the group cannot go on. */
  failed(error: unknown): void;
}

/**
 * One partition while it is assigned: hands its batches to the handler one at a time. kafkajs's fetch loop waits for
 * all batches of a fetch, so a slow partition would hold up its neighbours and the heartbeats; here a batch is only
 * queued, one behind the one in hand, and the partition is paused while that place is taken.
 */
export class AssignedPartition {
  readonly target: TopicPartition;
  readonly #handler: GroupHandler;
  readonly #hooks: PartitionHooks;
  #waiting: GroupBatch[] = [];
  #epoch = 0;
  #ended = false;
  #pausedByOwner = false;
  #pausedByQueue = false;
  #working: Promise<void> | undefined;

  constructor(target: TopicPartition, handler: GroupHandler, hooks: PartitionHooks) {
    this.target = target;
    this.#handler = handler;
    this.#hooks = hooks;
  }

  /** False when the batch is not wanted now and must be fetched again later. */
  offer(batch: GroupBatch): boolean {
    if (this.#ended || this.#pausedByOwner || this.#waiting.length > 0) return false;
    if (this.#working === undefined) {
      this.#working = this.#work(batch);
    } else {
      // The next one is at hand when this one is done, so that the handler does not wait for a fetch.
      this.#waiting.push(batch);
      this.#pausedByQueue = true;
      this.#hooks.pause(this.target);
    }
    return true;
  }

  pause(): void {
    this.#pausedByOwner = true;
    this.#hooks.pause(this.target);
  }

  resume(): void {
    this.#pausedByOwner = false;
    if (!this.#pausedByQueue) this.#hooks.resume(this.target);
    const waiting = this.#working === undefined ? this.#next() : undefined;
    if (waiting) this.#working = this.#work(waiting);
  }

  /** What was fetched before a seek is stale: dropped, and no longer current where it is in hand. */
  forget(): void {
    this.#epoch += 1;
    this.#waiting = [];
    this.#freeQueue();
  }

  /** The assignment is over. kafkajs keeps pauses over rebalances; a later assignment starts without. */
  end(): void {
    this.forget();
    this.#ended = true;
    if (this.#pausedByOwner) this.#hooks.resume(this.target);
  }

  /** Resolves when the handler has let go of the batch in hand and nothing waits. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(first: GroupBatch): Promise<void> {
    // So that even a handler that throws at once finds `#working` set, and clears it last.
    await Promise.resolve();
    try {
      for (let batch: GroupBatch | undefined = first; batch && !this.#ended; batch = this.#next()) {
        await this.#handler.onBatch(batch, this.#assignment());
      }
    } catch (error) {
      if (!this.#ended) this.#hooks.failed(error);
    } finally {
      this.#working = undefined;
    }
  }

  #next(): GroupBatch | undefined {
    if (this.#pausedByOwner) return undefined;
    const next = this.#waiting.shift();
    this.#freeQueue();
    return next;
  }

  #freeQueue(): void {
    if (!this.#pausedByQueue) return;
    this.#pausedByQueue = false;
    if (!this.#pausedByOwner) this.#hooks.resume(this.target);
  }

  #assignment(): GroupAssignment {
    const epoch = this.#epoch;
    return {
      isCurrent: () => !this.#ended && this.#epoch === epoch,
      heartbeat: () => this.#hooks.heartbeat(),
    };
  }
}
