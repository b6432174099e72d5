/** Times in ms since the epoch. */
export interface Lifetime {
  readonly startMs: number;
  /** Undefined while the conversation is open. */
  readonly endMs: number | undefined;
}

/** Which conversations may have lived at some moment or later: those with the numbers in `earlier`, and all from `from` on. */
export interface Reach {
  readonly earlier: readonly number[];
  readonly from: number;
}

/**
 * Every conversation of the organisation, numbered from 0 in the order of their start: what pages and archives are made
 * of. A number stands for the same bytes as long as the process lives, and nothing is kept in memory but times.
 */
export interface Conversations {
  /** Equal in two states of one organisation whose conversations read the same. */
  readonly edition: number;
  /** How many there are. */
  readonly records: number;
  /** All of them start in this interval. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ascending in the number. */
  startMs(index: number): number;
  lifetime(index: number): Lifetime;
  /** Whether there is a record of it: some come late, some have been deleted. */
  has(index: number): boolean;
  /** Saves a search for those that lived at `ms` or later from looking at all of them. */
  reach(ms: number): Reach;
  id(index: number): string | undefined;
  /** Of all sessions. */
  mediaTypes(index: number): readonly string[];
  direction(index: number): string | undefined;
  /** The JSON text. */
  text(index: number): string;
  /** The same numbers and times with other texts. */
  changed(): Conversations;
  close(): Promise<void>;
}

/** Nobody can be left out. */
export const ANYBODY: Reach = { earlier: [], from: 0 };
