import type { LetterAction } from '../actions/letter-actions.ts';
import type { DeadLetter } from '@genesys-kafka/topics';

/** A dead letter as it was found in one of the stores, or in both. */
export interface StoredDeadLetter {
  /** (origin, route, attempts): copies that a crash left behind have the same, and are met once. */
  readonly id: string;
  readonly deadLetter: DeadLetter;
  readonly key: Buffer | null;
  readonly place: LetterPosition;
  /** ISO 8601; absent while it was not replayed. */
  readonly replayedAt?: string;
  /** Made when it is asked for. */
  readonly value: () => Buffer | null;
  /** As they stand in the topic, the envelope's among them. */
  readonly headers: () => Readonly<Record<string, Buffer>>;
}

/** Where a dead letter was found; of both stores, the topic. */
export type LetterPosition =
  | TopicPlace
  /** The object's key. */
  | { readonly object: string };

export interface TopicPlace {
  readonly partition: number;
  readonly offset: bigint;
}

/** What was done with dead letters, by identity, as it is kept beside them. */
export interface LetterMarks {
  /** When last, ISO 8601. */
  readonly replayed: Map<string, string>;
  /** Gone for whoever looks, though their bytes still lie in the topic: where the last marker of each stands there. */
  readonly purged: Map<string, TopicPlace>;
  /** What was done, in any order. */
  readonly actions: LetterAction[];
}

export function noMarks(): LetterMarks {
  return { replayed: new Map(), purged: new Map(), actions: [] };
}

/** By the last of what the stores say. */
export function markReplayed({ replayed }: Pick<LetterMarks, 'replayed'>, id: string, at: string): void {
  if (at >= (replayed.get(id) ?? '')) replayed.set(id, at);
}

/** One of the stores, as it is read. */
export interface LetterStore {
  /** After a scan: what lies there and was not written by this program, which is left alone. */
  readonly unreadable: number;
  /** Adds what is known of this store's dead letters, or of others. */
  readMarks(marks: LetterMarks, filter: LetterFilter): Promise<void>;
  /** What may pass the filter and, since it is not asked of each, what does not; copies too. */
  scan(filter: LetterFilter): AsyncGenerator<Omit<StoredDeadLetter, 'replayedAt'>>;
}

/** Which dead letters are meant; what is left out is not asked. See `passes`. */
export interface LetterFilter {
  readonly id?: string | undefined;
  readonly route?: string | undefined;
  readonly stage?: string | undefined;
  readonly cause?: string | undefined;
  /** When they were given up: from this moment on, milliseconds since the epoch … */
  readonly sinceMs?: number | undefined;
  /** … to before this one. */
  readonly untilMs?: number | undefined;
  readonly key?: string | undefined;
  readonly state?: 'open' | 'replayed' | undefined;
  /** Asked last, since it has to see the record. */
  readonly where?: ((letter: StoredDeadLetter) => boolean) | undefined;
}
