import { ALWAYS_AFFORDABLE_BYTES } from '../value-cost.ts';

/** A longer record is rare, and first has to be looked at for what it costs. */
export const MAX_TEXT_BYTES = ALWAYS_AFFORDABLE_BYTES;
/** More than any read below goes past the place where it begins. */
const PADDING_BYTES = 64;

/**
 * One JSON text after the other, with zeros behind it: a zero ends every loop, so none asks for the length. One for all who read, since reading is synchronous; V8 makes faster code for a constant than for a field (a third).
 *
 * Four bytes are looked at together where that is quicker. What reads from a place returns the place behind what it has
 * read, or -1 where that is not there or not understood.
 */
export const TEXT = Buffer.alloc(MAX_TEXT_BYTES + PADDING_BYTES);
const WORDS = new DataView(TEXT.buffer, TEXT.byteOffset, TEXT.length);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const POINT = 0x2e;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

/** `yyyy-mm-ddThh:mm:ss` and one byte more, of each the lowest and the highest that is allowed. */
const LOWEST = wordsOf('0000-00-00T00:00:00.');
const HIGHEST = wordsOf('9999-19-39T29:59:59Z');
/** What lifts a byte above the highest to its high bit. */
const HEADROOM = HIGHEST.map((word) => 0x7f7f7f7f - word);

export function loadText(bytes: Uint8Array): void {
  TEXT.set(bytes);
  TEXT.fill(0, bytes.length, bytes.length + PADDING_BYTES);
}

/** Four bytes, the first in the lowest bits. */
export function wordAt(at: number): number {
  return WORDS.getInt32(at, true);
}

export function skipSpace(from: number): number {
  let at = from;
  for (let byte = TEXT[at]!; byte <= 0x20; byte = TEXT[at]!) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at += 1;
  }
  return at;
}

/** From behind the opening quote: the place of the first quote, backslash or control character. */
export function plainEnd(from: number): number {
  let at = from;
  for (;;) {
    const stops = stopsIn(wordAt(at));
    if (stops !== 0) return at + lowestByte(stops);
    at += 4;
  }
}

/** From behind the opening quote to behind the closing one. */
export function stringEnd(from: number): number {
  let at = plainEnd(from);
  while (TEXT[at] !== QUOTE) {
    at = TEXT[at] === BACKSLASH ? escapeEnd(at + 1) : -1;
    if (at < 0) return -1;
    at = plainEnd(at);
  }
  return at + 1;
}

function escapeEnd(at: number): number {
  switch (TEXT[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1;
    case 0x75: // u
      for (let digit = at + 1; digit <= at + 4; digit += 1) if (!isHex(TEXT[digit]!)) return -1;
      return at + 5;
    default:
      return -1;
  }
}

/**
 * A string of the form that Genesys writes, `2026-09-14T13:02:11.417Z` with or without a fraction, from behind the
 * opening quote to behind the closing one: part of what Ajv's `date-time` allows.
 */
export function dateTimeEnd(from: number): number {
  let misfits = 0;
  for (let index = 0; index < LOWEST.length; index += 1) {
    const word = wordAt(from + 4 * index);
    misfits |= word | (word + HEADROOM[index]!) | ~((word | HIGH_BITS) - LOWEST[index]!);
  }
  if ((misfits & HIGH_BITS) !== 0) return -1;
  let at = from + 19;
  if (TEXT[at] === POINT) {
    const fraction = at + 1;
    at = digitsEnd(fraction);
    if (at === fraction) return -1;
  }
  return TEXT[at] === 0x5a && TEXT[at + 1] === QUOTE ? at + 2 : -1;
}

/** Whether a string without escapes between two places has that many code points, one where it has escapes. */
export function hasCodePoints(from: number, to: number, wanted: number): boolean {
  let left = wanted;
  for (let at = from; at < to && left > 0; at += 1) {
    const byte = TEXT[at]!;
    // An escape may be half a code point.
    if (byte === BACKSLASH) return left === 1;
    if ((byte & 0xc0) !== 0x80) left -= 1;
  }
  return left <= 0;
}

/** The whole part of a number, which may be all of it. */
export function integerEnd(from: number): number {
  const first = TEXT[from] === 0x2d ? from + 1 : from;
  if (TEXT[first] === ZERO) return first + 1;
  const end = digitsEnd(first);
  return end === first ? -1 : end;
}

/** What may follow the whole part: a fraction, an exponent, both or nothing. */
export function fractionEnd(from: number): number {
  let at = from;
  if (TEXT[at] === POINT) {
    const fraction = at + 1;
    at = digitsEnd(fraction);
    if (at === fraction) return -1;
  }
  if ((TEXT[at]! | 0x20) === 0x65) {
    const sign = TEXT[at + 1];
    const exponent = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
    at = digitsEnd(exponent);
    if (at === exponent) return -1;
  }
  return at;
}

function digitsEnd(from: number): number {
  let at = from;
  while (isDigit(TEXT[at]!)) at += 1;
  return at;
}

/** Equal for equal bytes. */
export function hashOf(from: number, to: number): number {
  let hash = to - from;
  let at = from;
  for (; at <= to - 4; at += 4) hash = mixed(hash, wordAt(at));
  return mixed(hash, wordAt(at) & ((1 << (8 * (to - at))) - 1));
}

/** A high bit for the first quote, backslash or control character, none for bytes before it. */
function stopsIn(word: number): number {
  const stops = ((word ^ 0x22222222) - ONES) | ((word ^ 0x5c5c5c5c) - ONES) | (word - 0x20202020);
  return stops & ~word & HIGH_BITS;
}

function lowestByte(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >> 3;
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function wordsOf(text: string): readonly number[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(4 * index));
}
