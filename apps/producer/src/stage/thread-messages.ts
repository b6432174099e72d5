import type { TopicPartition } from '@genesys-kafka/kafka';
import type { EncodedBatch } from '@genesys-kafka/kafka/wire';
import type { SourceIdentity } from '@genesys-kafka/ledger';
import type { Change } from '@genesys-kafka/topics';
import type { EncodeOptions } from './value-encoder.ts';

/** What the thread is handed once, at its start. */
export interface ThreadOptions {
  /** The JSON Schema that records have to match, as text; the conversation's by default. */
  readonly schema?: string;
}

/** Where its records come from, and what is told of it with each of them. */
export interface SourceFacts {
  readonly window: string;
  readonly source: SourceIdentity | undefined;
  /** `dataAvailabilityDate` of the page that they stand on. */
  readonly availableUntil?: string | undefined;
  /** Where only what has changed is to be published: most of what is then published is the first of its conversation. */
  readonly change?: Change | undefined;
}

/** Records that are staged in one go, their bytes in shared memory one after the other. */
export interface Segment {
  readonly buffer: SharedArrayBuffer;
  readonly firstOrdinal: number;
  /**
   * Four numbers a record: where its bytes begin in the buffer (-1: it was too long to be kept), its length, its
   * offset in the document, and its members (see ScannedRecord).
   */
  readonly places: Float64Array;
  /** False for records that are published already: they are digested alone. */
  readonly isStaged: boolean;
}

export const PLACE_NUMBERS = 4;

/** Requests are answered in their order. */
export interface ThreadRequest {
  readonly segment: Segment;
  readonly facts: SourceFacts;
  readonly options: EncodeOptions;
  /** Why the segment's only record is not to be looked at: an earlier thread was lost on it. */
  readonly costly?: string | undefined;
}

/** A batch without its bytes: `length` of them. */
export type BatchPlace = TopicPartition & Omit<EncodedBatch, 'bytes'> & { readonly length: number };

export interface ThreadReply {
  /** See RecordFacts. */
  readonly facts: Uint8Array<ArrayBuffer>;
  readonly batches: readonly BatchPlace[];
  /** The batches' bytes, one after the other. */
  readonly packed: Uint8Array<ArrayBuffer>;
}

/**
 * `ready` once, when it has compiled its schema: what ends it before that is no record's fault. `begun` with each
 * request, before any record of it is looked at.
 */
export type ThreadAnswer = 'ready' | 'begun' | ThreadReply;
