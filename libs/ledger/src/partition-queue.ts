import type { OutgoingRecord, TopicPartition, Transaction } from '@genesys-kafka/kafka';

interface Queued {
  readonly record: OutgoingRecord;
  readonly bytes: number;
}

export interface QueueEvents {
  /** Called when a send begins; what it returns is told how it ended. */
  onSend(): { sent(bytes: number): void; failed(error: unknown): void };
}

/**
 * One partition's records within one transaction, in order, one send at a time: kafkajs doubles or loses records when
 * sends to a partition overlap or one send reaches several leaders (docs/exactly-once.md, rule 1).
 */
export class PartitionQueue {
  readonly #target: TopicPartition;
  readonly #sendBytes: () => number;
  readonly #maxBytes: number;
  readonly #events: QueueEvents;
  #queued: Queued[] = [];
  #queuedBytes = 0;
  #transaction: Transaction | undefined;
  #sending: Promise<void> | undefined;
  #isDraining = false;
  #isAbandoned = false;

  /** `sendBytes`: what has gathered before a send begins, as of now; `maxBytes`: what one send may hold. */
  constructor(target: TopicPartition, sendBytes: () => number, maxBytes: number, events: QueueEvents) {
    this.#target = target;
    this.#sendBytes = () => Math.min(sendBytes(), maxBytes);
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  push(record: OutgoingRecord, bytes: number): void {
    this.#queued.push({ record, bytes });
    this.#queuedBytes += bytes;
    this.pump();
  }

  /** Sends may begin. */
  start(transaction: Transaction): void {
    this.#transaction = transaction;
    this.pump();
  }

  /** Sends what is left; resolves when nothing of this partition is queued or in flight. Needs `start` first. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.pump();
    while (this.#sending) await this.#sending;
  }

  /** Drops what is not yet sent: the transaction has failed. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#queued = [];
    this.#queuedBytes = 0;
  }

  /** Begins a send where enough has gathered. */
  pump(): void {
    if (this.#sending || !this.#transaction || this.#isAbandoned || this.#queued.length === 0) return;
    if (!this.#isDraining && this.#queuedBytes < this.#sendBytes()) return;
    const { records, bytes } = this.#take();
    const outcome = this.#events.onSend();
    this.#sending = this.#transaction
      .send(this.#target, records)
      .then(
        () => {
          if (!this.#isAbandoned) outcome.sent(bytes);
        },
        (error: unknown) => outcome.failed(error),
      )
      .finally(() => {
        this.#sending = undefined;
        this.pump();
      });
  }

  /** The longest run from the front that one send may hold; a record larger than that goes alone. */
  #take(): { readonly records: OutgoingRecord[]; readonly bytes: number } {
    const enough = this.#sendBytes();
    let bytes = 0;
    let count = 0;
    for (const queued of this.#queued) {
      if (count > 0 && (bytes + queued.bytes > this.#maxBytes || bytes >= enough)) break;
      bytes += queued.bytes;
      count += 1;
    }
    const records = this.#queued.splice(0, count).map((queued) => queued.record);
    this.#queuedBytes -= bytes;
    return { records, bytes };
  }
}
