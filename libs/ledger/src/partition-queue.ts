import { MOST_BATCHES, type EncodedBatch, type TopicPartition, type Transaction } from '@genesys-kafka/kafka';

interface Queued {
  readonly batch: EncodedBatch;
  readonly held: number;
  readonly onSent: (() => void) | undefined;
}

export interface QueueEvents {
  /** Called when a send begins; what it returns is told how it ended. */
  onSend(): { sent(held: number): void; failed(error: unknown): void };
}

/**
 * One partition's batches within one transaction, in order, one send at a time with what has gathered meanwhile: kafkajs doubles or loses records when
 * sends to a partition overlap or one send reaches several leaders (docs/exactly-once.md, rule 1).
 */
export class PartitionQueue {
  readonly #target: TopicPartition;
  readonly #events: QueueEvents;
  #queued: Queued[] = [];
  #transaction: Transaction | undefined;
  #sending: Promise<void> | undefined;

  constructor(target: TopicPartition, events: QueueEvents) {
    this.#target = target;
    this.#events = events;
  }

  /** `held`: what the batch counts for until it is sent. */
  push(batch: EncodedBatch, held: number, onSent?: () => void): void {
    this.#queued.push({ batch, held, onSent });
    this.#pump();
  }

  /** Sends may begin. */
  start(transaction: Transaction): void {
    this.#transaction = transaction;
    this.#pump();
  }

  /** Resolves when nothing of this partition is queued or in flight. Needs `start` first. */
  async drain(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Drops what is not yet sent: the transaction has failed. */
  abandon(): void {
    this.#queued = [];
  }

  #pump(): void {
    if (this.#sending || !this.#transaction) return;
    const next = this.#queued.splice(0, MOST_BATCHES);
    if (next.length === 0) return;
    const held = next.reduce((sum, one) => sum + one.held, 0);
    const batches = next.map(({ batch }) => batch);
    const outcome = this.#events.onSend();
    this.#sending = this.#transaction
      .sendBatches(this.#target, batches)
      .then(
        () => {
          outcome.sent(held);
          for (const { onSent } of next) onSent?.();
        },
        (error: unknown) => outcome.failed(error),
      )
      .finally(() => {
        this.#sending = undefined;
        this.#pump();
      });
  }
}
