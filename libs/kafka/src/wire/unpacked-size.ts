const ZSTD_MAGIC = 0xfd2fb528;
const GZIP_MAGIC = 0x8b1f;
const GZIP_LEAST_BYTES = 18;
/** Of a frame header's fields, by the two bits that tell of each (RFC 8878, section 3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
const SINGLE_SEGMENT = 0x20;

/**
 * What packed bytes say that they unpack to: a zstd frame in its header, where whoever packed it knew (RFC 8878), gzip in
 * its last four bytes (RFC 1952). A hint, which may be wrong; undefined where there is none.
 */
export function unpackedSize(codec: 'gzip' | 'zstd', bytes: Buffer): number | undefined {
  return codec === 'gzip' ? sizeOfGzip(bytes) : sizeOfZstd(bytes);
}

function sizeOfGzip(bytes: Buffer): number | undefined {
  if (bytes.length < GZIP_LEAST_BYTES || bytes.readUInt16LE(0) !== GZIP_MAGIC) return undefined;
  return bytes.readUInt32LE(bytes.length - 4);
}

function sizeOfZstd(bytes: Buffer): number | undefined {
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const descriptor = bytes[4]!;
  const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!;
  const size = SIZE_BYTES[descriptor >> 6]! || Number(isSingle);
  if (size === 0 || at + size > bytes.length) return undefined;
  if (size === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}
