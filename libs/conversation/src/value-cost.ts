/** Below it no text can become more than a staging thread holds: the worst measured is 30 bytes for each of text. */
export const ALWAYS_AFFORDABLE_BYTES = 1024 * 1024;
/** Well below the heap of the staging thread; a conversation of 16 MiB takes about 75 MB by this measure. */
const MAX_VALUE_BYTES = 80_000_000;
/**
 * What V8 takes for the worst of a kind, measured: an object of a shape of its own, a key that no other has, a list's
 * element (a short string). `{}` is two bytes of text and 64 of memory.
 */
const BRACKET_BYTES = 100;
/** Of which its comma is counted as an element's. */
const MEMBER_BYTES = 80;
const ELEMENT_BYTES = 32;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Whether the parsed value of a record would take more memory than a record may. Decided on the text, before anything
 * is parsed: a heap that overflows ends the thread, and at times the process. Ordinary records are not looked at.
 */
export function costsTooMuch(bytes: Uint8Array): boolean {
  if (bytes.length <= ALWAYS_AFFORDABLE_BYTES) return false;
  let left = MAX_VALUE_BYTES;
  for (let at = 0; at < bytes.length && left >= 0; at += 1) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = closingQuote(bytes, at + 1);
    else if (byte === 0x5b || byte === 0x7b) left -= BRACKET_BYTES;
    else if (byte === COMMA) left -= ELEMENT_BYTES;
    else if (byte === COLON) left -= MEMBER_BYTES - ELEMENT_BYTES;
  }
  return left < 0;
}

function closingQuote(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
