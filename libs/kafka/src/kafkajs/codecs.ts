import kafkajs from 'kafkajs';
import { CODEC_NAMES, compress } from '../wire/codecs.ts';
import { realRecords } from './prepared-records.ts';

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * Makes our codecs known to kafkajs, for what it writes. Nothing is read through them: what a fetch brings is decoded
 * here (see internals.ts).
 */
export function registerCodecs(): void {
  const registry = kafkajs.CompressionCodecs as Record<number, () => Codec>;
  CODEC_NAMES.forEach((name, number) => {
    if (name === 'none') return;
    const codec: Codec = {
      compress: async (encoder) => {
        const { bytes, isPacked } = realRecords(encoder.buffer);
        return isPacked ? bytes : compress(number, bytes);
      },
      decompress: () => Promise.reject(new Error('a fetch went past our decoder')),
    };
    registry[number] = () => codec;
  });
}
