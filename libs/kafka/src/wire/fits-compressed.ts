import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ZSTD_OPTIONS, type KafkaCompression } from './codecs.ts';

/**
 * Whether a value is at most `limit` bytes long as it will be sent. Brokers measure the compressed batch; compressing
 * a record only to measure it is rare enough to be done in place.
 */
export function fitsCompressed(value: Uint8Array, limit: number, compression: KafkaCompression): boolean {
  if (value.length <= limit) return true;
  if (compression === 'none') return false;
  const packed = compression === 'gzip' ? gzipSync(value) : zstdCompressSync(value, ZSTD_OPTIONS);
  return packed.length <= limit;
}
