import type { RetryStep } from '@genesys-kafka/delivery';
import type { ConsumedRecord, OutgoingHeaders } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import {
  formatDeadLetter,
  formatRetryHeaders,
  framingOf,
  partitionFor,
  REPLAY_HEADER,
  RETRY_HEADER,
  type DeadLetterStage,
  type TopicPosition,
  type TopicSize,
} from '@genesys-kafka/topics';
import type { DeliveryState } from './delivery-state.ts';
import type { TopicWriter } from './topic-writer.ts';

export interface ForwarderOptions {
  readonly route: string;
  readonly groupId: string;
  readonly retries: readonly TopicSize[];
  readonly deadLetters: TopicSize;
  readonly writer: TopicWriter;
  readonly clock: Clock;
  readonly onRetry: (tier: number) => void;
  readonly onDeadLetter: (cause: string) => void;
}

/** What is said of a dead letter where it is given up; the rest of the envelope is known here. */
export interface GivenUp {
  readonly stage: DeadLetterStage;
  readonly cause: string;
  readonly reason: string;
  readonly httpStatus?: number;
  /** Deliveries tried. */
  readonly attempts: number;
}

/**
 * What moves one route's records on to the retry and dead-letter topics: value and own headers unchanged, our headers
 * beside them. A move resolves when the topic has acknowledged it, so the offset may pass the record, and rejects only
 * with the signal's reason; it may happen again after a crash, and is told apart by (origin, route, attempt).
 */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  async retry(record: ConsumedRecord, state: DeliveryState, step: RetryStep, signal: AbortSignal): Promise<void> {
    const { route, groupId, retries, onRetry } = this.#options;
    const headers = formatRetryHeaders({
      route,
      group: groupId,
      attempt: step.attempt,
      notBeforeMs: step.notBeforeMs,
      cause: step.failure.cause,
      origin: state.origin,
      recordVersion: state.recordVersion,
    });
    await this.#append(retries[step.tier]!, record, { ...record.headers, ...headers }, signal);
    onRetry(step.tier);
  }

  async deadLetter(record: ConsumedRecord, origin: TopicPosition, why: GivenUp, signal: AbortSignal): Promise<void> {
    const { route, groupId, deadLetters, clock, onDeadLetter } = this.#options;
    const envelope = formatDeadLetter({
      ...why,
      framing: framingOf(record.value),
      timestampMs: clock.nowMs(),
      origin,
      route,
      attempts: attemptsOf(record, why),
    });
    const headers = { ...record.headers, [RETRY_HEADER.group]: encodeURIComponent(groupId), ...envelope };
    await this.#append(deadLetters, record, headers, signal);
    onDeadLetter(why.cause);
  }

  /** A record on a retry topic whose headers do not say whose it is: kept as a dead letter, with its place there. */
  async orphaned(record: ConsumedRecord, signal: AbortSignal): Promise<void> {
    const origin: TopicPosition = { topic: record.topic, partition: record.partition, offset: record.offset };
    const reason = 'This record on a retry topic lacks the headers that say whose it is. Did another program write it?';
    await this.deadLetter(record, origin, { stage: 'decode', cause: 'header-invalid', reason, attempts: 0 }, signal);
  }

  async #append(
    { topic, partitions }: TopicSize,
    { key, value, partition }: ConsumedRecord,
    headers: OutgoingHeaders,
    signal: AbortSignal,
  ): Promise<void> {
    const target = { topic, partition: key === null ? partition % partitions : partitionFor(key, partitions) };
    await this.#options.writer.append(target, { key, value, headers }, signal);
  }
}

/** A replay counts as an attempt even where it did not come to a delivery: the new dead letter is another one. */
function attemptsOf({ headers }: ConsumedRecord, { attempts }: GivenUp): number {
  if (!(REPLAY_HEADER.replayOf in headers)) return attempts;
  const prior = headers[REPLAY_HEADER.priorAttempts]?.toString('utf8') ?? '';
  return Math.max(attempts, 1) + (/^\d{1,9}$/.test(prior) ? Number(prior) : 0);
}
