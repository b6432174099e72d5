import { isUtf8 } from 'node:buffer';
import {
  bodyOf,
  DEAD_LETTER_HEADER,
  DEAD_LETTER_STAGES,
  deadLetterIdentity,
  formatDeadLetter,
  frame,
  parseDeadLetter,
  type DeadLetter,
  type HeaderMap,
} from '@genesys-kafka/topics';

/** A dead letter as the dead-letter topic has it: key and value as they were, headers with the envelope among them. */
export interface LetterRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: HeaderMap;
}

/** A line that was read: what is known of it without a look at the record. */
export interface ReadLine {
  readonly id: string;
  readonly deadLetter: DeadLetter;
  readonly key: Buffer | null;
  /** The value, made of the line when it is asked for. */
  readonly value: () => Buffer | null;
  /** As they would stand in the topic. */
  readonly headers: () => Record<string, Buffer>;
}

/** Of the envelope; they stand in fields of their own. */
const ENVELOPE = new Set<string>(Object.values(DEAD_LETTER_HEADER));
/** In front of the line's last members, which are most of its bytes: what comes before them can be read alone. */
const RECORD_MEMBER = Buffer.from(',"record":');
const BASE64_MEMBER = Buffer.from(',"recordBase64":');
const MEMBER = Buffer.from(',"');
const FRAME_BYTES = 5;

/**
 * One dead letter as a line of NDJSON, without its line break (docs/dead-letters.md, "The object and the line"). Throws the
 * TopicsError `header-invalid` where the headers are no envelope.
 */
export function encodeLetter({ key, value, headers }: LetterRecord): Buffer {
  const letter = parseDeadLetter(headers);
  const { origin, framing, omittedBytes, timestampMs, ...said } = letter;
  const isFramed = framing === 'confluent' && value !== null && value.length >= FRAME_BYTES;
  const own = Object.entries(headers).filter(([name, one]) => one !== undefined && !ENVELOPE.has(name));
  const line = {
    v: 1,
    id: deadLetterIdentity(letter),
    ...bytesAs('key', key),
    timestamp: new Date(timestampMs).toISOString(),
    ...said,
    origin: 'topic' in origin ? { ...origin, offset: String(origin.offset) } : origin,
    ...headersAs(own as [string, Buffer | string][]),
    framing,
    ...(isFramed ? { schemaId: value.readUInt32BE(1) } : {}),
    ...(omittedBytes === undefined ? {} : { omittedBytes }),
    ...bytesAs('record', value === null ? null : bodyOf(value, framing)),
  };
  return Buffer.from(JSON.stringify(line));
}

/** Undefined for what is no line of this program, in a version that it knows. */
export function decodeLetter(line: Buffer): ReadLine | undefined {
  // What is read of it with signs in the place of bytes would be replayed so.
  if (!isUtf8(line)) return undefined;
  const at = recordAt(line);
  const head = (at < 0 ? undefined : parsed(`${line.toString('utf8', 0, at)}}`)) ?? parsed(line.toString('utf8'));
  if (head?.v !== 1) return undefined;
  const deadLetter = envelopeOf(head);
  if (!deadLetter || deadLetterIdentity(deadLetter) !== head.id) return undefined;
  const key = bytesOf('key', head);
  if (key === undefined) return undefined;
  return {
    id: head.id,
    deadLetter,
    key,
    value: () => valueOf(parsed(line.toString('utf8')) ?? {}, deadLetter),
    headers: () => ({ ...headersOf(head), ...buffers(Object.entries(formatDeadLetter(deadLetter))) }),
  };
}

/**
 * Where the record begins, if nothing comes after it; otherwise -1: another program may have put the members in another
 * order. A quote right behind a comma begins a member, since in a text a backslash stands before it; where it ends a text
 * whose last character is a comma, the line is read whole for nothing.
 */
function recordAt(line: Buffer): number {
  const at = line.lastIndexOf(RECORD_MEMBER);
  if (at < 0) return at;
  const next = line.indexOf(MEMBER, at + RECORD_MEMBER.length);
  if (next < 0) return at;
  const isBase64 = line.subarray(next, next + BASE64_MEMBER.length).equals(BASE64_MEMBER);
  return isBase64 && line.indexOf(MEMBER, next + BASE64_MEMBER.length) < 0 ? at : -1;
}

type Tree = Readonly<Record<string, unknown>>;

function parsed(text: string): Tree | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Tree) : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';

function envelopeOf(line: Tree): DeadLetter | undefined {
  const { framing, cause, reason, timestamp, httpStatus, route, attempts, omittedBytes } = line;
  const stage = DEAD_LETTER_STAGES.find((known) => known === line.stage);
  const origin = originOf((line.origin ?? {}) as Tree);
  const timestampMs = isText(timestamp) ? Date.parse(timestamp) : Number.NaN;
  if (framing !== 'confluent' && framing !== 'none') return undefined;
  if (!stage || !origin || !isText(cause) || !isText(reason) || !isCount(attempts) || Number.isNaN(timestampMs))
    return undefined;
  return {
    framing,
    stage,
    cause,
    reason,
    ...(isCount(httpStatus) ? { httpStatus } : {}),
    timestampMs,
    origin,
    ...(isText(route) ? { route } : {}),
    attempts,
    ...(isCount(omittedBytes) ? { omittedBytes } : {}),
  };
}

function originOf({ topic, partition, offset, source, ordinal, byteRange }: Tree): DeadLetter['origin'] | undefined {
  if (isText(topic) && isCount(partition) && isText(offset) && /^\d{1,19}$/.test(offset))
    return { topic, partition, offset: BigInt(offset) };
  if (!isText(source) || !isCount(ordinal)) return undefined;
  const { start, end } = (byteRange ?? {}) as Tree;
  return { source, ordinal, ...(isCount(start) && isCount(end) ? { byteRange: { start, end } } : {}) };
}

/** Text where that gives the same bytes again; otherwise null, and base64 beside it. */
function bytesAs(name: 'key' | 'record', bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  if (isUtf8(bytes)) return { [name]: bytes.toString('utf8') };
  return { [name]: null, [`${name}Base64`]: bytes.toString('base64') };
}

/** Undefined for what is neither. */
function bytesOf(name: 'key' | 'record', line: Tree): Buffer | null | undefined {
  const [plain, base64] = [line[name], line[`${name}Base64`]];
  if (isText(plain)) return Buffer.from(plain);
  if (isText(base64)) return Buffer.from(base64, 'base64');
  return plain === null || plain === undefined ? null : undefined;
}

function headersAs(headers: readonly (readonly [string, Buffer | string])[]): Record<string, Record<string, string>> {
  const plain: [string, string][] = [];
  const base64: [string, string][] = [];
  for (const [name, value] of headers) {
    if (isText(value)) plain.push([name, value]);
    else if (isUtf8(value)) plain.push([name, value.toString('utf8')]);
    else base64.push([name, value.toString('base64')]);
  }
  return {
    headers: Object.fromEntries(plain),
    ...(base64.length === 0 ? {} : { headersBase64: Object.fromEntries(base64) }),
  };
}

function headersOf({ headers, headersBase64 }: Tree): Record<string, Buffer> {
  const texts = (tree: unknown) =>
    Object.entries((tree ?? {}) as Tree).filter((one): one is [string, string] => isText(one[1]));
  return {
    ...buffers(texts(headers)),
    ...Object.fromEntries(texts(headersBase64).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  };
}

function buffers(headers: readonly (readonly [string, string])[]): Record<string, Buffer> {
  return Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value)]));
}

function valueOf(line: Tree, { framing }: DeadLetter): Buffer | null {
  const body = bytesOf('record', line) ?? null;
  if (body === null || framing === 'none' || !isCount(line.schemaId)) return body;
  return frame(line.schemaId, body);
}
