import type { Verdict } from './judge.ts';

export const DIGEST_BYTES = 32;

/** Where a record lies in the slab. Without `members` it is only digested. */
export interface Place {
  readonly start: number;
  readonly length: number;
  readonly members: number | undefined;
}

export interface JudgeRequest {
  readonly id: number;
  readonly slab: SharedArrayBuffer;
  readonly places: readonly Place[];
}

/** In the order of the places. */
export interface JudgeReply {
  readonly id: number;
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly verdicts: readonly (Verdict | undefined)[];
}
