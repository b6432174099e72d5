import type { Outcome } from './batch-validator.ts';

export const DIGEST_BYTES = 32;

/** What the thread is handed once, at its start. */
export interface ThreadOptions {
  /** The JSON Schema that records have to match, as text. */
  readonly schema: string;
}

/** Where a record lies in the buffer. Without `members` it is only digested. */
export interface Place {
  readonly start: number;
  readonly length: number;
  readonly members: number | undefined;
}

/** Requests are answered in their order. */
export interface ThreadRequest {
  readonly buffer: SharedArrayBuffer;
  readonly places: readonly Place[];
}

/** What becomes of each record, in the order of the places. */
export interface ThreadReply {
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly outcomes: readonly (Outcome | undefined)[];
}

/** `ready` once, when it has compiled its schema: what ends it before that is no record's fault. */
export type ThreadAnswer = 'ready' | ThreadReply;
