import type { TopicPartition } from '@genesys-kafka/kafka';
import type { Flow } from './flow.ts';

/** What is committed of a partition. */
interface CommittedPlace {
  readonly offset: bigint;
  readonly note?: string | undefined;
}

/** A partition that is worked on. */
export interface Held extends TopicPartition {
  readonly name: string;
  readonly flow: Flow;
  /** Resolves when the flow knows where it starts; rejects with what ends the run. */
  readonly begun: Promise<void>;
  committed: CommittedPlace | undefined;
  paused: boolean | undefined;
  /** Others may have had it since: where it stands is of no concern to the group any more. */
  isLost: boolean;
}

/** How far one assigned partition has come. */
export interface Place extends TopicPartition {
  /** Everything below it is finished. */
  readonly position: bigint;
  /** The next offset to be taken: what lies between has been taken, and is finished or in hand. */
  readonly expected: bigint;
  readonly unfinished: number;
  /** Milliseconds since the epoch: the timestamp of the oldest record in hand. */
  readonly oldestMs: number | undefined;
  /** Share of the offsets taken so far that were records: the others are markers of transactions. */
  readonly density: number;
}

/** What is to be committed of a partition. */
export interface Moved {
  readonly held: Held;
  readonly place: CommittedPlace;
}

/** Where a flow is to be committed; undefined where that is done, nothing is known of it, or it is not ours to say. */
export function movedOf(held: Held): Moved | undefined {
  const { flow, committed, isLost } = held;
  if (isLost) return undefined;
  const { position: offset, note } = flow;
  if (offset === undefined || (offset === committed?.offset && note === committed.note)) return undefined;
  return { held, place: { offset, note } };
}

export function placeOf({ topic, partition, flow }: Held): Place | undefined {
  const { position, expected, inFlight, oldestMs, density } = flow;
  if (position === undefined || expected === undefined) return undefined;
  return { topic, partition, position, expected, unfinished: inFlight.records, oldestMs, density };
}

/** With nothing in hand. */
export function standing({
  topic,
  partition,
  position,
  density,
}: Omit<Place, 'expected' | 'unfinished' | 'oldestMs'>): Place {
  return { topic, partition, position, expected: position, unfinished: 0, oldestMs: undefined, density };
}
