import { headerInvalid, HeaderReader, need } from './header-reader.ts';
import { encodeToken, printableText, type HeaderMap } from './header-text.ts';
import type { TopicPosition } from './record-headers.ts';
import { RETRY_HEADER } from './retry-headers.ts';

/** Header names of the dead-letter topic, written by producer and consumer alike. */
export const DEAD_LETTER_HEADER = {
  framing: 'framing',
  stage: 'stage',
  cause: 'cause',
  reason: 'reason',
  httpStatus: 'http-status',
  timestamp: 'timestamp',
  originTopic: RETRY_HEADER.originTopic,
  originPartition: RETRY_HEADER.originPartition,
  originOffset: RETRY_HEADER.originOffset,
  originSource: 'origin-source',
  originOrdinal: 'origin-ordinal',
  originByteRange: 'origin-byte-range',
  route: RETRY_HEADER.route,
  attempts: 'attempts',
  omittedBytes: 'omitted-bytes',
} as const;

/** Where a record was given up: reading the source (`parse`, `validate`, `oversize`) or consuming (`decode`, `route`, `deliver`). */
export const DEAD_LETTER_STAGES = ['parse', 'validate', 'oversize', 'decode', 'route', 'deliver'] as const;
export type DeadLetterStage = (typeof DEAD_LETTER_STAGES)[number];

export interface SourcePosition {
  /** Source id: the job or the archive. */
  readonly source: string;
  readonly ordinal: number;
  /** First byte and the byte after the last, in the unpacked source. */
  readonly byteRange?: { readonly start: number; readonly end: number };
}

/** All that is known of a dead letter apart from its key and value. */
export interface DeadLetter {
  /** `confluent`: the value still has its five-byte frame; `none`: bare record bytes. */
  readonly framing: 'confluent' | 'none';
  readonly stage: DeadLetterStage;
  /** A stable code for scripts and metrics: `http-422`, `rule-error`, `schema-violation`. */
  readonly cause: string;
  /** One sentence in this program's words or JSON pointers; never a value out of the record. */
  readonly reason: string;
  readonly httpStatus?: number;
  /** When it was given up, milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly origin: TopicPosition | SourcePosition;
  /** Absent for dead letters of the producer. */
  readonly route?: string;
  /** Deliveries tried; 0 where it never came to one. */
  readonly attempts: number;
  /** Size of the value that was left out, since the topic did not take it; it lies at the origin. */
  readonly omittedBytes?: number;
}

/** The envelope as headers: printable, bounded, without CR or LF. The record's own headers go beside them. */
export function formatDeadLetter(letter: DeadLetter): Record<string, string> {
  const name = DEAD_LETTER_HEADER;
  return {
    [name.framing]: letter.framing,
    [name.stage]: letter.stage,
    [name.cause]: printableText(letter.cause, 100),
    [name.reason]: printableText(letter.reason),
    ...(letter.httpStatus === undefined ? {} : { [name.httpStatus]: String(letter.httpStatus) }),
    [name.timestamp]: new Date(letter.timestampMs).toISOString(),
    ...formatOrigin(letter.origin),
    ...(letter.route === undefined ? {} : { [name.route]: encodeToken(letter.route) }),
    [name.attempts]: String(letter.attempts),
    ...(letter.omittedBytes === undefined ? {} : { [name.omittedBytes]: String(letter.omittedBytes) }),
  };
}

/** Reads the envelope. A missing or malformed header is a TopicsError, `header-invalid`: the record was put there by somebody else. */
export function parseDeadLetter(headers: HeaderMap): DeadLetter {
  const reader = new HeaderReader(headers);
  const name = DEAD_LETTER_HEADER;
  const framing = need(name.framing, reader.text(name.framing));
  if (framing !== 'confluent' && framing !== 'none') throw headerInvalid(name.framing, 'is neither confluent nor none');
  const stageText = need(name.stage, reader.text(name.stage));
  const stage = DEAD_LETTER_STAGES.find((known) => known === stageText);
  if (stage === undefined) throw headerInvalid(name.stage, 'names no stage of this program');
  const httpStatus = reader.count(name.httpStatus);
  const route = reader.token(name.route);
  const omittedBytes = reader.count(name.omittedBytes);
  return {
    framing,
    stage,
    cause: need(name.cause, reader.text(name.cause)),
    reason: need(name.reason, reader.text(name.reason)),
    ...(httpStatus === undefined ? {} : { httpStatus }),
    timestampMs: need(name.timestamp, reader.moment(name.timestamp)),
    origin: parseOrigin(reader),
    ...(route === undefined ? {} : { route }),
    attempts: need(name.attempts, reader.count(name.attempts)),
    ...(omittedBytes === undefined ? {} : { omittedBytes }),
  };
}

/**
 * (origin, route, attempt): equal for the copies that a crash between a move and its commit leaves behind, different
 * for everything else (docs/exactly-once.md, rule 9). `dead-letters` lists and replays an identity once.
 */
export function deadLetterIdentity({
  origin,
  route,
  attempts,
}: Pick<DeadLetter, 'origin' | 'route' | 'attempts'>): string {
  const place =
    'topic' in origin
      ? `${encodeToken(origin.topic)}/${origin.partition}/${origin.offset}`
      : `${encodeToken(origin.source)}/${origin.ordinal}`;
  return `${place}/${route === undefined ? '' : encodeToken(route)}/${attempts}`;
}

function formatOrigin(origin: DeadLetter['origin']): Record<string, string> {
  const name = DEAD_LETTER_HEADER;
  if ('topic' in origin)
    return {
      [name.originTopic]: encodeToken(origin.topic),
      [name.originPartition]: String(origin.partition),
      [name.originOffset]: String(origin.offset),
    };
  return {
    [name.originSource]: encodeToken(origin.source),
    [name.originOrdinal]: String(origin.ordinal),
    ...(origin.byteRange ? { [name.originByteRange]: `${origin.byteRange.start}-${origin.byteRange.end}` } : {}),
  };
}

function parseOrigin(reader: HeaderReader): DeadLetter['origin'] {
  const name = DEAD_LETTER_HEADER;
  const source = reader.token(name.originSource);
  if (source === undefined)
    return {
      topic: need(name.originTopic, reader.token(name.originTopic)),
      partition: need(name.originPartition, reader.count(name.originPartition)),
      offset: need(name.originOffset, reader.offset(name.originOffset)),
    };
  const range = reader.text(name.originByteRange);
  const bounds = range === undefined ? undefined : /^(\d{1,15})-(\d{1,15})$/.exec(range);
  if (bounds === null) throw headerInvalid(name.originByteRange, 'is not start-end');
  return {
    source,
    ordinal: need(name.originOrdinal, reader.count(name.originOrdinal)),
    ...(bounds === undefined ? {} : { byteRange: { start: Number(bounds[1]), end: Number(bounds[2]) } }),
  };
}
