import type { LetterKeeper } from '@genesys-kafka/dead-letters';
import type { RetryStep } from '@genesys-kafka/delivery';
import type { ConsumedRecord, KafkaError, OutgoingHeaders } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import {
  DEAD_LETTER_HEADER,
  formatDeadLetter,
  formatRetryHeaders,
  framingOf,
  partitionFor,
  RECORD_HEADER,
  REPLAY_HEADER,
  RETRY_HEADER,
  type DeadLetter,
  type DeadLetterStage,
  type TopicPosition,
  type TopicSize,
} from '@genesys-kafka/topics';
import type { DeliveryState } from './delivery-state.ts';
import { refusesRecord, type RecordMover } from './topic-writer.ts';

export interface ForwarderOptions {
  readonly route: string;
  readonly groupId: string;
  readonly retries: readonly TopicSize[];
  /** Absent where dead letters go to object storage alone. */
  readonly deadLetters?: TopicSize | undefined;
  /** Where dead letters go to object storage; one of both there always is. */
  readonly keeper?: LetterKeeper | undefined;
  readonly writer: RecordMover;
  readonly clock: Clock;
  readonly onRetry: (tier: number) => void;
  readonly onDeadLetter: (cause: string) => void;
  /** Told where a topic takes a record neither now nor later. */
  readonly onRefused: (topic: string, error: KafkaError) => void;
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

/** A pointer keeps a key up to this length, and headers of ours up to this length each. */
const MAX_POINTER_TEXT_BYTES = 1024;
const POINTER_HEADERS = new Set<string>([...Object.values(RECORD_HEADER), ...Object.values(REPLAY_HEADER)]);

/**
 * What moves one route's records on to the retry and dead-letter topics: value and own headers unchanged, our headers
 * beside them. What a retry topic refuses for good becomes a dead letter, and what the dead-letter topic refuses a
 * pointer: a dead letter without the value, which lies at its origin. A move resolves when the topic has acknowledged
 * it, so the offset may pass the record; it rejects with the signal's reason, or with an error that ends the run where
 * not even a pointer is taken. It may happen again after a crash, and is told apart by (origin, route, attempt).
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
    const tier = retries[step.tier]!;
    const refusal = await this.#append(tier, record, { ...record.headers, ...headers }, signal);
    if (refusal === undefined) {
      onRetry(step.tier);
      return;
    }
    const { httpStatus } = step.failure;
    const why: GivenUp = {
      stage: 'deliver',
      cause: 'retry-refused',
      reason: `${step.failure.reason}; the retry topic does not take the record (${refusal.code})`,
      attempts: step.attempt - 1,
      ...(httpStatus === undefined ? {} : { httpStatus }),
    };
    await this.deadLetter(record, state.origin, why, signal);
  }

  async deadLetter(record: ConsumedRecord, origin: TopicPosition, why: GivenUp, signal: AbortSignal): Promise<void> {
    const { route, groupId, deadLetters, keeper, clock, onDeadLetter } = this.#options;
    const letter: DeadLetter = {
      ...why,
      framing: framingOf(record.value),
      timestampMs: clock.nowMs(),
      origin,
      route,
      attempts: attemptsOf(record, why),
    };
    const group = { [RETRY_HEADER.group]: encodeURIComponent(groupId) };
    const headers = {
      ...record.headers,
      [DEAD_LETTER_HEADER.omittedBytes]: undefined,
      ...group,
      ...formatDeadLetter(letter),
    };
    await Promise.all([
      keeper?.append({ key: record.key, value: record.value, headers }, signal),
      deadLetters && this.#toTopic(deadLetters, record, letter, headers, signal),
    ]);
    onDeadLetter(why.cause);
  }

  async #toTopic(
    deadLetters: TopicSize,
    record: ConsumedRecord,
    letter: DeadLetter,
    headers: OutgoingHeaders,
    signal: AbortSignal,
  ): Promise<void> {
    const refusal = await this.#append(deadLetters, record, headers, signal);
    if (!refusal) return;
    const envelope = formatDeadLetter({ ...letter, framing: 'none', omittedBytes: record.value?.length ?? 0 });
    const pointer = pointerTo(record);
    const group = { [RETRY_HEADER.group]: headers[RETRY_HEADER.group] };
    const unwritable = await this.#append(deadLetters, pointer, { ...pointer.headers, ...group, ...envelope }, signal);
    if (unwritable) throw unwritable;
  }

  /** A record on a retry topic whose headers do not say whose it is: kept as a dead letter, with its place there. */
  async orphaned(record: ConsumedRecord, signal: AbortSignal): Promise<void> {
    const origin: TopicPosition = { topic: record.topic, partition: record.partition, offset: record.offset };
    const reason = 'This record on a retry topic lacks the headers that say whose it is. Did another program write it?';
    await this.deadLetter(record, origin, { stage: 'decode', cause: 'header-invalid', reason, attempts: 0 }, signal);
  }

  /** Resolves with undefined once the record is written, or with why its topic refuses it for good. */
  async #append(
    { topic, partitions }: TopicSize,
    { key, value, partition }: ConsumedRecord,
    headers: OutgoingHeaders,
    signal: AbortSignal,
  ): Promise<KafkaError | undefined> {
    const target = { topic, partition: key === null ? partition % partitions : partitionFor(key, partitions) };
    try {
      await this.#options.writer.append(target, { key, value, headers }, signal);
      return undefined;
    } catch (error) {
      if (!refusesRecord(error)) throw error;
      this.#options.onRefused(topic, error);
      return error;
    }
  }
}

/** A replay counts as an attempt even where it did not come to a delivery: the new dead letter is another one. */
function attemptsOf({ headers }: ConsumedRecord, { attempts }: GivenUp): number {
  if (!(REPLAY_HEADER.replayOf in headers)) return attempts;
  const prior = headers[REPLAY_HEADER.priorAttempts]?.toString('utf8') ?? '';
  return Math.max(attempts, 1) + (/^\d{1,9}$/.test(prior) ? Number(prior) : 0);
}

/** The record without what makes it large: its value, and headers that are not ours. */
function pointerTo(record: ConsumedRecord): ConsumedRecord {
  const { key, headers } = record;
  const kept = Object.entries(headers).filter(
    ([name, value]) => POINTER_HEADERS.has(name) && value.length <= MAX_POINTER_TEXT_BYTES,
  );
  return {
    ...record,
    key: key !== null && key.length <= MAX_POINTER_TEXT_BYTES ? key : null,
    value: null,
    headers: Object.fromEntries(kept),
  };
}
