import { HeaderReader, need } from './header-reader.ts';
import { encodeToken, printableText, type HeaderMap } from './header-text.ts';
import type { TopicPosition } from './record-headers.ts';

/** Header names of records on the retry topics; the record's own headers stay beside them. */
export const RETRY_HEADER = {
  route: 'route',
  group: 'group',
  attempt: 'attempt',
  notBefore: 'not-before',
  cause: 'cause',
  originTopic: 'origin-topic',
  originPartition: 'origin-partition',
  originOffset: 'origin-offset',
  recordVersion: 'record-version',
} as const;

/** What a record takes along through the retry topics. */
export interface RetryState {
  readonly route: string;
  /** Consumer group that moved it. */
  readonly group: string;
  /** The delivery that comes next, counted from 1: a record fresh from the main topic is attempt 1, the first retry 2. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  /** Why the previous attempt failed: a stable code such as `http-503`. */
  readonly cause: string;
  /** Where it lay in the main topic. */
  readonly origin: TopicPosition;
  /** Offset in the main topic, which the target gets as `Record-Version`. */
  readonly recordVersion: bigint;
}

export function formatRetryHeaders(state: RetryState): Record<string, string> {
  return {
    [RETRY_HEADER.route]: encodeToken(state.route),
    [RETRY_HEADER.group]: encodeToken(state.group),
    [RETRY_HEADER.attempt]: String(state.attempt),
    [RETRY_HEADER.notBefore]: new Date(state.notBeforeMs).toISOString(),
    [RETRY_HEADER.cause]: printableText(state.cause, 100),
    [RETRY_HEADER.originTopic]: encodeToken(state.origin.topic),
    [RETRY_HEADER.originPartition]: String(state.origin.partition),
    [RETRY_HEADER.originOffset]: String(state.origin.offset),
    [RETRY_HEADER.recordVersion]: String(state.recordVersion),
  };
}

/** Reads a retry record's headers. A missing or malformed one is `header-invalid`: such a record is a dead letter. */
export function parseRetryHeaders(headers: HeaderMap): RetryState {
  const reader = new HeaderReader(headers);
  return {
    route: need(RETRY_HEADER.route, reader.token(RETRY_HEADER.route)),
    group: need(RETRY_HEADER.group, reader.token(RETRY_HEADER.group)),
    attempt: need(RETRY_HEADER.attempt, reader.count(RETRY_HEADER.attempt)),
    notBeforeMs: need(RETRY_HEADER.notBefore, reader.moment(RETRY_HEADER.notBefore)),
    cause: need(RETRY_HEADER.cause, reader.text(RETRY_HEADER.cause)),
    origin: {
      topic: need(RETRY_HEADER.originTopic, reader.token(RETRY_HEADER.originTopic)),
      partition: need(RETRY_HEADER.originPartition, reader.count(RETRY_HEADER.originPartition)),
      offset: need(RETRY_HEADER.originOffset, reader.offset(RETRY_HEADER.originOffset)),
    },
    recordVersion: need(RETRY_HEADER.recordVersion, reader.offset(RETRY_HEADER.recordVersion)),
  };
}
