import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import kafkajs, { CompressionTypes } from 'kafkajs';
import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import type { KafkaCompression } from './connection.ts';
import { realRecords } from './prepared-records.ts';

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const zstdCompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const zstdDecompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Output is made in pieces of this size, each a round trip to the thread pool: Node's default is 16 KiB. */
const CHUNK_BYTES = 256 * 1024;

/** Level 1 is as small as the default on conversations (8.8 : 1 against 8.4 : 1), with a third of the memory per call. */
const ZSTD_OPTIONS = {
  chunkSize: CHUNK_BYTES,
  params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
};

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

let maxBytes = Number.POSITIVE_INFINITY;

const gzipCodec: Codec = {
  compress: (encoder) => gzip(realRecords(encoder.buffer), { chunkSize: CHUNK_BYTES }),
  decompress: (bytes) => capped('gzip', bytes, () => gunzip(bytes, { maxOutputLength: maxBytes })),
};

const zstdCodec: Codec = {
  compress: (encoder) => {
    const records = realRecords(encoder.buffer);
    return zstdCompress(records, { ...ZSTD_OPTIONS, pledgedSrcSize: records.length });
  },
  decompress: (bytes) => capped('zstd', bytes, () => zstdDecompress(bytes, { maxOutputLength: maxBytes })),
};

const codecs: readonly (Codec | undefined)[] = [
  undefined,
  gzipCodec,
  unsupported('snappy'),
  unsupported('lz4'),
  zstdCodec,
];

/**
 * Makes zstd and a gzip with a limit known to kafkajs; both run on the thread pool. kafkajs keeps its codecs in a
 * module variable, so the limit holds for the process. snappy and lz4 fail with a sentence instead of a crash.
 */
export function registerCodecs(maxDecompressedBytes: number): void {
  maxBytes = maxDecompressedBytes;
  const registry = kafkajs.CompressionCodecs as Record<number, () => Codec>;
  codecs.forEach((codec, type) => {
    if (codec) registry[type] = () => codec;
  });
}

export function compressionType(compression: KafkaCompression): CompressionTypes {
  if (compression === 'none') return CompressionTypes.None;
  return compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.ZSTD;
}

/** Unpacks the records of a batch by the codec number in its attributes; 0 is not compressed. */
export async function decompress(codecNumber: number, bytes: Buffer): Promise<Buffer> {
  if (codecNumber === 0) return bytes;
  const codec = codecs[codecNumber];
  if (!codec) {
    throw new KafkaError('codec-unsupported', `The topic holds a batch with unknown compression ${codecNumber}.`);
  }
  return codec.decompress(bytes);
}

async function capped(name: string, bytes: Buffer, unpack: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await unpack();
  } catch (error) {
    if (error instanceof RangeError) {
      throw final(
        'decompression-limit',
        `A ${name} batch of ${bytes.length} bytes unpacks to more than ${maxBytes} bytes. ` +
          'Raise the limit (maxDecompressedBytes) if the topic is yours, or find out who wrote it.',
      );
    }
    throw final('record-batch-corrupt', `A ${name} batch of ${bytes.length} bytes cannot be unpacked.`);
  }
}

function unsupported(name: string): Codec {
  const refuse = () =>
    Promise.reject(
      final(
        'codec-unsupported',
        `The topic holds ${name} batches, which this client cannot read. ` +
          'Have them written with zstd or gzip, and set the topic’s compression.type to producer.',
      ),
    );
  return { compress: refuse, decompress: refuse };
}

/** An error that kafkajs does not retry: it looks for `retriable`, and would replace the error by a cause of its own. */
function final(code: KafkaErrorCode, message: string): KafkaError {
  return Object.assign(new KafkaError(code, message), { retriable: false });
}
