const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * A record as one line. Inside JSON strings line breaks are always escaped, so a raw CR or LF byte can only be
 * white space between tokens, and becomes a space: same value, same length, and no byte of any text is touched.
 */
export function ndjsonLine(body: Buffer): Buffer {
  const line = Buffer.allocUnsafe(body.length + 1);
  body.copy(line);
  line[body.length] = LF;
  for (const byte of [LF, CR])
    for (let at = body.indexOf(byte); at !== -1; at = body.indexOf(byte, at + 1)) line[at] = SPACE;
  return line;
}
