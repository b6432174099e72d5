/** Why and where (index in the current chunk) the structure broke. The scanner adds ordinal and offset. */
export class StructureFault extends Error {
  readonly index: number;

  constructor(reason: string, index: number) {
    super(reason);
    this.index = index;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * Finds where one JSON value ends: matches brackets by kind and skips strings, nothing more. Whether the content is
 * valid is for JSON.parse to say. State survives from chunk to chunk; memory is `maxDepth` bytes.
 */
export class ElementScanner {
  /** Colons outside strings so far. */
  members = 0;
  readonly #stack: Uint8Array;
  readonly #maxDepth: number;
  #depth = 0;
  #inString = false;
  /** The last chunk ended after a backslash. */
  #escaped = false;
  #scalar = false;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
    this.#stack = new Uint8Array(maxDepth + 1);
  }

  /** Prepares for a value whose first byte is `first`; `scan` starts at that byte. */
  begin(first: number): void {
    this.members = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#scalar = first !== QUOTE && first !== 0x7b && first !== 0x5b;
  }

  /** Whether a string or bracket is open. */
  get isOpen(): boolean {
    return this.#inString || this.#depth > 0;
  }

  /** Index after the value's last byte, or -1 when the value goes on in the next chunk. */
  scan(chunk: Buffer, from: number): number {
    return this.#scalar ? scanScalar(chunk, from) : this.#scanNested(chunk, from, chunk.length, false);
  }

  /**
   * Counts members and depth in a piece of an NDJSON line. Brackets that do not match are left for JSON.parse: the
   * line feed frames the record whatever the line holds.
   */
  scanLine(chunk: Buffer, from: number, to: number): void {
    this.#scanNested(chunk, from, to, true);
  }

  /**
   * The hot loop: four bytes at once inside strings, plain bytes outside, local state. Plain bytes alone take 1.6 times as
   * long (conversations of 3 to 14 kB); Buffer.indexOf, called once per string, and a 256-entry class table even longer.
   */
  #scanNested(chunk: Buffer, from: number, to: number, line: boolean): number {
    const stack = this.#stack;
    const words = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const wordsEnd = to - 3;
    let index = from;
    let depth = this.#depth;
    let inString = this.#inString;
    let members = this.members;
    if (this.#escaped && index < to) {
      index += 1;
      this.#escaped = false;
    }
    for (;;) {
      if (inString) {
        while (index < wordsEnd) {
          // Of each byte the high bit: set for the first quote or backslash, not for bytes before it.
          const word = words.getInt32(index, true);
          const stops = (((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES)) & ~word & HIGH_BITS;
          if (stops !== 0) {
            index += (31 - Math.clz32(stops & -stops)) >> 3;
            break;
          }
          index += 4;
        }
        let byte = 0;
        while (index < to && (byte = chunk[index]!) !== QUOTE && byte !== BACKSLASH) index += 1;
        if (index >= to) break;
        if (byte === BACKSLASH) {
          index += 2;
          continue;
        }
        index += 1;
        inString = false;
        if (depth === 0 && !line) return this.#finish(members, index);
      }
      if (index >= to) break;
      const byte = chunk[index++]!;
      if (byte === QUOTE) inString = true;
      else if (byte === COLON) members += 1;
      // '[' and '{', ']' and '}' differ in one bit; an opening and its closing bracket differ by two.
      else if ((byte | 0x20) === 0x7b) {
        depth += 1;
        if (depth > this.#maxDepth) throw new StructureFault(`nested deeper than ${this.#maxDepth}`, index - 1);
        stack[depth] = byte;
      } else if ((byte | 0x20) === CLOSE_BRACE) {
        if (line) {
          if (depth > 0) depth -= 1;
          continue;
        }
        if (stack[depth] !== byte - 2) {
          throw new StructureFault(`"${String.fromCharCode(byte)}" closes a bracket of the other kind`, index - 1);
        }
        depth -= 1;
        if (depth === 0) return this.#finish(members, index);
      }
    }
    this.#escaped ||= index > to;
    this.#depth = depth;
    this.#inString = inString;
    this.members = members;
    return -1;
  }

  #finish(members: number, index: number): number {
    this.members = members;
    this.#depth = 0;
    this.#inString = false;
    return index;
  }
}

/** Numbers and literals end before a comma, a closing bracket or a space. */
function scanScalar(chunk: Buffer, from: number): number {
  for (let index = from; index < chunk.length; index += 1) {
    const byte = chunk[index]!;
    if (byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || isSpace(byte)) return index;
    if (byte === QUOTE || byte === COLON || (byte | 0x20) === 0x7b) {
      throw new StructureFault(`"${String.fromCharCode(byte)}" inside a number or literal`, index);
    }
  }
  return -1;
}
