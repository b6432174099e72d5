import kafkajs from 'kafkajs';
import { CODEC_NAMES, compress, decompress } from '../wire/codecs.ts';
import { realRecords } from './prepared-records.ts';

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * Makes our codecs known to kafkajs. It keeps them in a module variable, so that for groups the limit holds for the
 * process. snappy and lz4 fail with a sentence instead of a crash.
 */
export function registerCodecs(maxDecompressedBytes: number): void {
  const registry = kafkajs.CompressionCodecs as Record<number, () => Codec>;
  CODEC_NAMES.forEach((name, number) => {
    if (name === 'none') return;
    const codec: Codec = {
      compress: (encoder) => compress(number, realRecords(encoder.buffer)),
      decompress: (bytes) => decompress(number, bytes, maxDecompressedBytes).catch(throwFinal),
    };
    registry[number] = () => codec;
  });
}

/** kafkajs retries what is not marked `retriable: false`, and replaces such an error by a cause of its own. */
function throwFinal(error: unknown): never {
  throw Object.assign(error as Error, { retriable: false });
}
