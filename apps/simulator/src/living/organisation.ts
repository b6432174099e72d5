import type { Conversations } from '../conversations/conversations.ts';

/** What is asked of the truth. ms since the epoch. */
export interface TruthQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly matching: 'overlap' | 'start-day' | 'start';
  /** As the data lake was when it held all before this. */
  readonly availableMs: number;
  /** All versions that a conversation had by then, not the newest alone. */
  readonly allVersions: boolean;
}

/** What a conversation was from one moment on: the truth that what was read of it is held against. */
export interface TrueVersion {
  readonly conversationId: string;
  /** From 0. */
  readonly version: number;
  /** SHA-256 of the record's bytes, from its first bracket to its last; hexadecimal. */
  readonly digest: string;
  readonly since: string;
  readonly start: string;
  /** Absent while it is open. */
  readonly end?: string;
  /** Spoilt on purpose. */
  readonly invalid?: true;
  /** When it was deleted; then its last version is told, which a reader may have or not. */
  readonly vanished?: string;
}

/** Whose conversations the stand-in answers with. */
export interface Organisation {
  /** What the data lake holds when data before this moment is available. Equal moments give equal records. */
  asOf(availableMs: number): Conversations;
  /** Undefined where conversations never change. */
  truth(query: TruthQuery): Iterable<TrueVersion> | undefined;
}

/** One whose conversations are what they are, at every moment. */
export function unchanging(conversations: Conversations): Organisation {
  return { asOf: () => conversations, truth: () => undefined };
}
