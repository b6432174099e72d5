import { HeaderReader } from './header-reader.ts';
import { encodeToken, printableText, type HeaderMap } from './header-text.ts';

/** Header names of records on the main topic. */
export const RECORD_HEADER = {
  sourceId: 'source-id',
  ordinal: 'ordinal',
  window: 'window',
  jobId: 'job-id',
  jobSubmittedAt: 'job-submitted-at',
  dataAvailabilityDate: 'data-availability-date',
  contentDigest: 'content-digest',
  change: 'change',
} as const;

const FIELDS = Object.entries(RECORD_HEADER) as [keyof typeof RECORD_HEADER, string][];

/** Where a record came from. Archives have no job; records of other producers may have nothing at all. */
export interface RecordOrigin {
  readonly sourceId?: string;
  /** Position in the source, from 0. */
  readonly ordinal?: number;
  readonly window?: string;
  readonly jobId?: string;
  /** ISO 8601, as Genesys spelt it: versions are compared by these two. */
  readonly jobSubmittedAt?: string;
  readonly dataAvailabilityDate?: string;
  readonly contentDigest?: string;
  /** A `Change`, where only what has changed is published. */
  readonly change?: string;
}

/** What a record is to the one published last of its conversation and day: the first, or another one. */
export type Change = 'new' | 'changed';

/** The headers of one record; absent facts have no header. Values are plain text without control characters. */
export function formatRecordHeaders(origin: RecordOrigin): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [field, name] of FIELDS) {
    const value = origin[field];
    if (value !== undefined) headers[name] = printableText(String(value));
  }
  return headers;
}

/** Reads what is there. A malformed `ordinal` is a TopicsError, `header-invalid`. */
export function parseRecordHeaders(headers: HeaderMap): RecordOrigin {
  const reader = new HeaderReader(headers);
  const ordinal = reader.count(RECORD_HEADER.ordinal);
  const origin: Record<string, string | number> = ordinal === undefined ? {} : { ordinal };
  for (const [field, name] of FIELDS) {
    const text = field === 'ordinal' ? undefined : reader.text(name);
    if (text !== undefined) origin[field] = text;
  }
  return origin;
}

/** A place in a Kafka topic. */
export interface TopicPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * What a target sees as `Idempotency-Key`: source + ordinal, stable across retries, replays and republishing.
 * A record without those headers is known by its place in the main topic instead.
 * Made of letters, digits and `. _ ~ : % -`, so it needs no escaping anywhere.
 */
export function idempotencyKey(origin: RecordOrigin, position: TopicPosition): string {
  if (origin.sourceId !== undefined && origin.ordinal !== undefined)
    return `${encodeToken(origin.sourceId)}:${origin.ordinal}`;
  return `${encodeToken(position.topic)}:${position.partition}:${position.offset}`;
}
