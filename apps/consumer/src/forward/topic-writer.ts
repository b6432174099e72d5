import {
  KafkaError,
  partitionName,
  recordBytes,
  type KafkaErrorCode,
  type OutgoingRecord,
  type Producer,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { backoffMs, isRetryable, systemClock, type Clock } from '@genesys-kafka/resilience';

export interface TopicWriterOptions {
  readonly producer: Producer;
  /** Told of each failed write and of the wait before the next try. */
  readonly onFailure: (error: unknown, target: TopicPartition, waitMs: number) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** A record on its way from one topic to another: its value is one piece. */
export type MovedRecord = OutgoingRecord & { readonly value: Buffer | null };

/** What appends a record to a topic, or sees to it that it is; rejects where the topic refuses the record. */
export interface RecordMover {
  append(target: TopicPartition, record: MovedRecord, signal: AbortSignal): Promise<void>;
}

interface Pending {
  readonly record: MovedRecord;
  readonly done: () => void;
  readonly fail: (reason: Error) => void;
  readonly signal: AbortSignal;
}

/** One send carries this much at most; a larger record goes alone. Below every topic's `max.message.bytes`. */
const MAX_SEND_BYTES = 512 * 1024;
/** What a broker says of a record, and not of itself: no later try fares better. */
const RECORD_REFUSALS = new Set<KafkaErrorCode>(['message-too-large', 'record-refused']);
/** What will not pass by itself (a right or a topic is missing, or nobody knows) may still be a moment's trouble. */
const PATIENCE_MS = 120_000;
const BACKOFF = { initialMs: 250, factor: 2, maxMs: 30_000, jitterMs: 250 };
/** A leader that moves takes less. */
const MOMENT_MS = 10_000;

/** Whether a topic has refused this very record, for good. */
export function refusesRecord(error: unknown): error is KafkaError {
  return error instanceof KafkaError && RECORD_REFUSALS.has(error.code);
}

/**
 * Appends to the retry and dead-letter topics. While brokers are away a write is tried again for as long as it takes:
 * the record that waits here stays unfinished, its offset does not move, and its partition fills up and pauses. A
 * record that its topic refuses is told so at once, and holds up none of those that were sent with it. What will not
 * pass by itself ends after two minutes with its error.
 */
export class TopicWriter implements RecordMover {
  readonly #options: TopicWriterOptions;
  readonly #clock: Clock;
  /** Per partition one send at a time: kafkajs may double records of two that overlap. Waiting ones go together. */
  readonly #queues = new Map<string, Pending[]>();
  /** Topics whose writes fail, by partition. */
  readonly #failing = new Map<string, { readonly topic: string; readonly sinceMs: number; readonly code: string }>();

  constructor(options: TopicWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Why records wait here; undefined while none has for more than a moment. */
  get notReady(): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    const failing = this.#failing.values().find(({ sinceMs }) => nowMs - sinceMs >= MOMENT_MS);
    return failing && `records cannot be moved to ${failing.topic} (${failing.code})`;
  }

  /**
   * Resolves once all in-sync replicas have the record. Rejects with the reason of `signal`, with a refusal of the
   * record (`refusesRecord`), or with the error that writes to this partition have met for too long.
   */
  async append(target: TopicPartition, record: MovedRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const name = partitionName(target);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const pending: Pending = { record, done: () => resolve(undefined), fail: reject, signal };
    const queue = this.#queues.get(name);
    if (queue) queue.push(pending);
    else {
      const fresh = [pending];
      this.#queues.set(name, fresh);
      void this.#drain(name, target, fresh);
    }
    await promise;
  }

  async #drain(name: string, target: TopicPartition, queue: Pending[]): Promise<void> {
    // Appends of the same turn of the event loop go in one send.
    await Promise.resolve();
    /** So many from the front go one by one: a send of them was refused for what one of them is. */
    let suspects = 0;
    for (let attempt = 0; queue.length > 0;) {
      const count = suspects > 0 ? 1 : batchLength(queue);
      const batch = queue.slice(0, count);
      try {
        await this.#options.producer.send(
          target,
          batch.map((pending) => pending.record),
        );
        batch.forEach((pending) => pending.done());
        queue.splice(0, count);
        suspects = Math.max(0, suspects - 1);
        attempt = 0;
        this.#failing.delete(name);
      } catch (error) {
        if (refusesRecord(error)) {
          if (count === 1) queue.shift()!.fail(error);
          suspects = count === 1 ? Math.max(0, suspects - 1) : count;
          continue;
        }
        const nowMs = this.#clock.monotonicMs();
        const { sinceMs } = this.#failing.get(name) ?? { sinceMs: nowMs };
        this.#failing.set(name, { topic: target.topic, sinceMs, code: codeOf(error) });
        if (!isRetryable(error) && nowMs - sinceMs >= PATIENCE_MS) {
          for (const pending of queue.splice(0)) pending.fail(error as Error);
          break;
        }
        const waitMs = backoffMs(BACKOFF, attempt, this.#options.random);
        attempt += 1;
        this.#options.onFailure(error, target, waitMs);
        await this.#wait(waitMs, queue);
      }
    }
    this.#failing.delete(name);
    this.#queues.delete(name);
  }

  /** Waits, and lets those go whose signal has aborted. */
  async #wait(waitMs: number, queue: Pending[]): Promise<void> {
    const anyAborted = AbortSignal.any(queue.map((pending) => pending.signal));
    await this.#clock.sleep(waitMs, anyAborted).catch(() => undefined);
    const kept = queue.filter((pending) => !pending.signal.aborted);
    for (const pending of queue) if (pending.signal.aborted) pending.fail(pending.signal.reason as Error);
    queue.splice(0, queue.length, ...kept);
  }
}

function codeOf(error: unknown): string {
  return error instanceof KafkaError ? error.code : 'unknown';
}

/** How many records from the front make up one send. */
function batchLength(queue: readonly Pending[]): number {
  let bytes = 0;
  for (const [index, { record }] of queue.entries()) {
    bytes += recordBytes(record);
    if (bytes > MAX_SEND_BYTES && index > 0) return index;
  }
  return queue.length;
}
