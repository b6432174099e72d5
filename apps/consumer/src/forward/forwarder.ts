import type { NextStep } from '@genesys-kafka/delivery';
import type { ConsumedRecord, OutgoingHeaders } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import {
  formatDeadLetter,
  formatRetryHeaders,
  partitionFor,
  REPLAY_HEADER,
  RETRY_HEADER,
  type DeadLetter,
  type TopicPosition,
  type TopicSize,
} from '@genesys-kafka/topics';
import type { WorkSignals } from '../group/partition-flow.ts';
import type { Visit } from '../route/record-visit.ts';
import type { TopicWriter } from './topic-writer.ts';

export interface MovesOptions {
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
export type Letter = Pick<DeadLetter, 'stage' | 'cause' | 'reason' | 'httpStatus' | 'attempts'>;

/**
 * One route's moves to the retry and dead-letter topics: value and own headers unchanged, our headers beside them.
 * A move resolves when the topic has acknowledged it, so the offset may pass the record; it may happen again after a
 * crash, and is told apart by (origin, route, attempt).
 */
export class Moves {
  readonly #options: MovesOptions;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  async retry(
    record: ConsumedRecord,
    visit: Visit,
    step: Extract<NextStep, { kind: 'retry' }>,
    signals: Pick<WorkSignals, 'signal'>,
  ): Promise<void> {
    const { route, groupId, retries, onRetry } = this.#options;
    const state = formatRetryHeaders({
      route,
      group: groupId,
      attempt: step.attempt,
      notBeforeMs: step.notBeforeMs,
      cause: step.failure.cause,
      origin: visit.origin,
      recordVersion: visit.recordVersion,
    });
    await this.#append(retries[step.tier]!, record, { ...record.headers, ...state }, signals);
    onRetry(step.tier);
  }

  async deadLetter(
    record: ConsumedRecord,
    visit: Pick<Visit, 'origin'>,
    letter: Letter,
    signals: Pick<WorkSignals, 'signal'>,
  ): Promise<void> {
    const { route, groupId, deadLetters, clock, onDeadLetter } = this.#options;
    const envelope = formatDeadLetter({
      // Without a sound frame there is none to take off again.
      framing: letter.cause.startsWith('frame-') ? 'none' : 'confluent',
      stage: letter.stage,
      cause: letter.cause,
      reason: letter.reason,
      ...(letter.httpStatus === undefined ? {} : { httpStatus: letter.httpStatus }),
      timestampMs: clock.nowMs(),
      origin: visit.origin,
      route,
      attempts: attemptsOf(record, letter),
    });
    const headers = { ...record.headers, [RETRY_HEADER.group]: encodeURIComponent(groupId), ...envelope };
    await this.#append(deadLetters, record, headers, signals);
    onDeadLetter(letter.cause);
  }

  /** A record on a retry topic whose headers do not say whose it is: kept as a dead letter, with its place there. */
  async lost(record: ConsumedRecord, signals: Pick<WorkSignals, 'signal'>): Promise<void> {
    const origin: TopicPosition = { topic: record.topic, partition: record.partition, offset: record.offset };
    const reason = 'This record on a retry topic lacks the headers that say whose it is. Did another program write it?';
    await this.deadLetter(
      record,
      { origin },
      { stage: 'decode', cause: 'header-invalid', reason, attempts: 0 },
      signals,
    );
  }

  async #append(
    { topic, partitions }: TopicSize,
    { key, value, partition }: ConsumedRecord,
    headers: OutgoingHeaders,
    { signal }: Pick<WorkSignals, 'signal'>,
  ): Promise<void> {
    const target = { topic, partition: key === null ? partition % partitions : partitionFor(key, partitions) };
    await this.#options.writer.append(target, { key, value, headers }, signal);
  }
}

/** A replay counts as an attempt even where it did not come to a delivery: the new dead letter is another one. */
function attemptsOf({ headers }: ConsumedRecord, { attempts }: Letter): number {
  if (!(REPLAY_HEADER.replayOf in headers)) return attempts;
  const prior = headers[REPLAY_HEADER.priorAttempts]?.toString('utf8') ?? '';
  return Math.max(attempts, 1) + (/^\d{1,9}$/.test(prior) ? Number(prior) : 0);
}
