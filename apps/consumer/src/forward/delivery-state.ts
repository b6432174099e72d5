import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { Owner } from '@genesys-kafka/routing';
import { TopicsError, parseRetryHeaders, type TopicPosition } from '@genesys-kafka/topics';

/** How far one record has come along one route. */
export interface DeliveryState {
  /** The delivery that comes next, from 1. */
  readonly attempt: number;
  /** Milliseconds since the epoch; 0 for a record fresh from the main topic. */
  readonly notBeforeMs: number;
  /** Where it lay in the main topic. */
  readonly origin: TopicPosition;
  readonly recordVersion: bigint;
  /** A record on a retry topic was picked by its route before: its rule is not asked again. */
  readonly picked: boolean;
}

/** Reads a retry record's owner; `nobody` where its headers are missing or damaged. */
export function ownerOf(record: ConsumedRecord): Owner {
  try {
    const { route, group } = parseRetryHeaders(record.headers);
    return { route, group };
  } catch (error) {
    if (error instanceof TopicsError) return 'nobody';
    throw error;
  }
}

export function freshState({ topic, partition, offset }: ConsumedRecord): DeliveryState {
  return { attempt: 1, notBeforeMs: 0, origin: { topic, partition, offset }, recordVersion: offset, picked: false };
}

/** Throws the `TopicsError` of a retry record that `ownerOf` calls nobody's. */
export function retriedState(record: ConsumedRecord): DeliveryState {
  const { attempt, notBeforeMs, origin, recordVersion } = parseRetryHeaders(record.headers);
  return { attempt, notBeforeMs, origin, recordVersion, picked: true };
}
