import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { KafkaError } from '../errors.ts';
import { unpackedSize } from './unpacked-size.ts';

/** Of what is produced; zstd and gzip are read, whatever is written. */
export type KafkaCompression = 'zstd' | 'gzip' | 'none';

/** By their number in a batch's attributes (https://kafka.apache.org/documentation/#recordbatch). */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const zstdCompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const zstdDecompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Output is made in pieces of at most this size, each a round trip to the thread pool: Node's default is 16 KiB. */
const CHUNK_BYTES = 256 * 1024;
const MIN_CHUNK_BYTES = 4096;

/** Level 1 is as small as the default on conversations (8.8 : 1 against 8.4 : 1), with a third of the memory per call. */
export const ZSTD_OPTIONS = {
  chunkSize: CHUNK_BYTES,
  params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
};

/** The records of a batch, packed on the thread pool. */
export async function compress(compression: KafkaCompression, records: Buffer): Promise<Buffer> {
  if (compression === 'none') return records;
  return compression === 'gzip' ? gzip(records, gzipOptions(records)) : zstdCompress(records, zstdOptions(records));
}

/** The same, here: less work, for a thread that has nothing else to do meanwhile. */
export function compressSync(compression: KafkaCompression, records: Buffer): Buffer {
  if (compression === 'none') return records;
  return compression === 'gzip'
    ? zlib.gzipSync(records, gzipOptions(records))
    : zlib.zstdCompressSync(records, zstdOptions(records));
}

const gzipOptions = (records: Buffer) => ({ chunkSize: packedChunkBytes(records) });
const zstdOptions = (records: Buffer) => ({
  ...ZSTD_OPTIONS,
  chunkSize: packedChunkBytes(records),
  pledgedSrcSize: records.length,
});

/** In one piece where they pack as conversations do. */
const packedChunkBytes = ({ length }: Buffer) => chunkBytes(length >> 2);

/**
 * In one piece where the size is told, with a byte more: a piece that is full is taken for one of several, which are
 * copied together. Else in few, and none much larger than what comes out: a record in hand keeps the whole piece that it
 * lies in.
 */
function unpackedChunkBytes(codec: 'gzip' | 'zstd', bytes: Buffer, maxBytes: number): number {
  const told = unpackedSize(codec, bytes);
  return told === undefined ? chunkBytes(4 * bytes.length) : Math.max(MIN_CHUNK_BYTES, Math.min(told, maxBytes) + 1);
}

function chunkBytes(expected: number): number {
  return Math.min(CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, expected));
}

/**
 * The records of a batch, unpacked on the thread pool: at most `maxBytes`, since a small batch can unpack to anything.
 * Rejects with a KafkaError: `decompression-limit`, `record-batch-corrupt` or, for other codecs, `codec-unsupported`;
 * its message says `where` (` at offset 7 of t-0`).
 */
export async function decompress(codec: number, bytes: Buffer, maxBytes: number, where = ''): Promise<Buffer> {
  const name = CODEC_NAMES[codec];
  if (name === 'none') return bytes;
  const batch = `A batch of ${name ?? `compression ${codec}`}${where}, of ${bytes.length} bytes,`;
  if (name !== 'gzip' && name !== 'zstd')
    throw new KafkaError('codec-unsupported', `${batch} cannot be read by this client.`);
  const unpack = name === 'gzip' ? gunzip : zstdDecompress;
  const chunkSize = unpackedChunkBytes(name, bytes, maxBytes);
  try {
    return await unpack(bytes, { maxOutputLength: maxBytes, chunkSize });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new KafkaError('decompression-limit', `${batch} unpacks to more than ${maxBytes} bytes.`);
    }
    throw new KafkaError('record-batch-corrupt', `${batch} cannot be unpacked.`);
  }
}
