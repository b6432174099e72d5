import { isUtf8 } from 'node:buffer';
import {
  fractionEnd,
  integerEnd,
  loadText,
  MAX_TEXT_BYTES,
  plainEnd,
  skipSpace,
  stringEnd,
  TEXT,
  wordAt,
} from './json-text.ts';

const MAX_DEPTH = 256;
/** What closes each object and list that is open. */
const CLOSING = new Uint8Array(MAX_DEPTH + 1);

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const TRUE = 0x65757274;
const NULL_TEXT = 0x6c6c756e;
const FALSE_TAIL = 0x65736c61;

/**
 * Whether bytes are an object in JSON and UTF-8, told without a value being made. False says nothing: of what is large,
 * deep, unusual or wrong `JSON.parse` is the judge.
 */
export function isJsonObject(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_TEXT_BYTES || bytes[0] !== OPEN_BRACE || !isUtf8(bytes)) return false;
  loadText(bytes);
  const end = objectEnd();
  return end >= 0 && skipSpace(end) === bytes.length;
}

/** Behind the object that the text begins with; -1 where it is not understood. */
function objectEnd(): number {
  let depth = 0;
  let at = 0;
  for (;;) {
    // A value begins here.
    const first = TEXT[at]!;
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (depth === MAX_DEPTH) return -1;
      depth += 1;
      CLOSING[depth] = first + 2;
      at = skipSpace(at + 1);
      if (TEXT[at] !== first + 2) {
        if (first === OPEN_BRACE) at = nameEnd(at);
        if (at < 0) return -1;
        continue;
      }
    } else {
      at = scalarEnd(at, first);
      if (at < 0) return -1;
      at = skipSpace(at);
    }
    while (TEXT[at] === CLOSING[depth]) {
      depth -= 1;
      if (depth === 0) return at + 1;
      at = skipSpace(at + 1);
    }
    if (TEXT[at] !== COMMA) return -1;
    at = skipSpace(at + 1);
    if (CLOSING[depth] === CLOSE_BRACE) at = nameEnd(at);
    if (at < 0) return -1;
  }
}

/** Behind a member's name and colon, and the space around it. A name with an escape is for `parseJson` to read. */
function nameEnd(start: number): number {
  if (TEXT[start] !== QUOTE) return -1;
  const end = plainEnd(start + 1);
  if (TEXT[end] !== QUOTE) return -1;
  const at = skipSpace(end + 1);
  return TEXT[at] === COLON ? skipSpace(at + 1) : -1;
}

function scalarEnd(at: number, first: number): number {
  if (first === QUOTE) return stringEnd(at + 1);
  if (first === 0x74) return wordAt(at) === TRUE ? at + 4 : -1;
  if (first === 0x66) return wordAt(at + 1) === FALSE_TAIL ? at + 5 : -1;
  if (first === 0x6e) return wordAt(at) === NULL_TEXT ? at + 4 : -1;
  const whole = integerEnd(at);
  return whole < 0 ? -1 : fractionEnd(whole);
}
