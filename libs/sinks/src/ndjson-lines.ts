const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Records as one line each. */
export function ndjsonLines(bodies: readonly Buffer[]): Buffer {
  const lines = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + body.length + 1, 0));
  let start = 0;
  for (const body of bodies) {
    body.copy(lines, start);
    breaksToSpaces(lines.subarray(start, start + body.length));
    start += body.length + 1;
    lines[start - 1] = LF;
  }
  return lines;
}

/**
 * Makes one line of a record of JSON, in place. Inside JSON strings line breaks are always escaped, so a raw CR or LF
 * byte can only be white space between tokens, and becomes a space: same value, same length, and no byte of any text is
 * touched.
 */
export function breaksToSpaces(record: Buffer): void {
  for (const byte of [LF, CR])
    for (let at = record.indexOf(byte); at !== -1; at = record.indexOf(byte, at + 1)) record[at] = SPACE;
}
