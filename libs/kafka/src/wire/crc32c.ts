/** CRC-32C, reflected (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** At `n * 256 + byte`: what a byte does to the checksum when n more bytes follow it. */
const TABLE = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLE[byte] = crc;
}
for (let at = 256; at < TABLE.length; at += 1) {
  const crc = TABLE[at - 256]!;
  TABLE[at] = TABLE[crc & 0xff]! ^ (crc >>> 8);
}

/**
 * The checksum of a record batch. Eight bytes at once take a third of the time that one after the other takes; Node has
 * CRC-32 only with the other polynomial.
 */
export function crc32c(bytes: Buffer): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wordsEnd = bytes.length - 7;
  let crc = -1;
  let at = 0;
  for (; at < wordsEnd; at += 8) {
    const low = words.getInt32(at, true) ^ crc;
    const high = words.getInt32(at + 4, true);
    crc =
      TABLE[1792 + (low & 0xff)]! ^
      TABLE[1536 + ((low >>> 8) & 0xff)]! ^
      TABLE[1280 + ((low >>> 16) & 0xff)]! ^
      TABLE[1024 + (low >>> 24)]! ^
      TABLE[768 + (high & 0xff)]! ^
      TABLE[512 + ((high >>> 8) & 0xff)]! ^
      TABLE[256 + ((high >>> 16) & 0xff)]! ^
      TABLE[high >>> 24]!;
  }
  for (; at < bytes.length; at += 1) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
