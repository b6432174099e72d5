import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import { ArchiveError } from './errors.ts';
import { readFailure } from './file-failures.ts';

/** Output pieces of this size: 703 MB/s where zlib's default of 16 KiB gives 285. */
const CHUNK_BYTES = 256 * 1024;

export interface Packed {
  readonly path: string;
  readonly compression: 'none' | 'deflate' | 'gzip';
  /** The compressed bytes within the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** What a content must come to; what is not known yet is undefined. */
export interface Expected {
  readonly bytes?: number;
  readonly crc32?: number;
  /** More is never handed over, whatever the compressed data says. */
  readonly maxBytes: number;
  /** Which of the limits `maxBytes` comes from. */
  readonly excess: 'archive-bomb' | 'archive-too-large';
}

export interface Unpacked {
  readonly bytes: number;
  readonly crc32: number;
}

/**
 * The content in pieces of up to 256 KiB, each the reader's until it asks for the next one: its memory goes back then.
 * Inflating runs on another thread, a bounded piece ahead of the reader; leaving early or aborting closes the file.
 * Fails when compressed data is damaged, ends early or goes on past its end, and when length or CRC-32 do not come out
 * as expected; the generator's return value says what came out.
 */
export async function* unpack(
  packed: Packed,
  expected: Expected,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, Unpacked, undefined> {
  signal?.throwIfAborted();
  let bytes = 0;
  let crc32 = 0;
  for await (const chunk of inflated(packed, signal)) {
    bytes += chunk.length;
    if (expected.bytes !== undefined && bytes > expected.bytes) {
      throw new ArchiveError(
        'archive-size-mismatch',
        `${packed.path} unpacks to more than its declared ${expected.bytes} bytes.`,
      );
    }
    if (bytes > expected.maxBytes) {
      throw new ArchiveError(
        expected.excess,
        `${packed.path} unpacks to more than the ${expected.maxBytes} bytes allowed.`,
      );
    }
    crc32 = zlib.crc32(chunk, crc32);
    yield chunk;
  }
  if (expected.bytes !== undefined && bytes !== expected.bytes) {
    throw new ArchiveError(
      'archive-size-mismatch',
      `${packed.path} unpacks to ${bytes} bytes instead of ${expected.bytes}.`,
    );
  }
  if (expected.crc32 !== undefined && crc32 !== expected.crc32) {
    const hex = (value: number) => value.toString(16).padStart(8, '0');
    throw new ArchiveError(
      'archive-crc-mismatch',
      `The content of ${packed.path} has CRC-32 ${hex(crc32)} instead of ${hex(expected.crc32)}.`,
    );
  }
  return { bytes, crc32 };
}

async function* inflated(packed: Packed, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, undefined> {
  const { path, offset, bytes, compression } = packed;
  // A stream's `end` is inclusive, so an empty range cannot be said.
  if (bytes === 0) return;
  const file = createReadStream(path, { start: offset, end: offset + bytes - 1, highWaterMark: CHUNK_BYTES });
  const inflate = compression === 'none' ? undefined : inflater(compression);
  let readError: unknown;
  file.once('error', (error) => (readError = error));
  const out: Readable = inflate ? pipeline(file, inflate, () => undefined) : file;
  const onAbort = () => out.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of out) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
      if (inflate) giveBack(chunk as Buffer);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw readError === undefined ? damaged(error, path) : readFailure(readError, path);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    out.destroy();
    file.destroy();
  }
  const used = inflate?.bytesWritten ?? file.bytesRead;
  if (used === bytes) return;
  const code = inflate && compression === 'gzip' ? 'archive-trailing-data' : 'archive-corrupt';
  throw new ArchiveError(
    code,
    `The compressed data of ${path} ends after ${used} of ${bytes} bytes, at byte ${offset + used}.`,
  );
}

/**
 * Frees the memory of inflated pieces with the last one that lies in it. Left to the garbage collector, which sees
 * little of what is outside its heap, it costs a twentieth of the time, and 10 to 50 MB come and go.
 */
function giveBack({ buffer, byteOffset, length }: Buffer): void {
  // What the stream has joined may lie in Node's pool, which is smaller, and not to be given away.
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength >= CHUNK_BYTES;
  if (isOwn && byteOffset + length === buffer.byteLength) buffer.transfer(0);
}

function inflater(compression: 'deflate' | 'gzip'): zlib.InflateRaw | zlib.Gunzip {
  // The reader may be one piece behind: the next one is inflated meanwhile.
  const options = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 2 * CHUNK_BYTES };
  return compression === 'gzip' ? zlib.createGunzip(options) : zlib.createInflateRaw(options);
}

function damaged(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error.code === 'Z_BUF_ERROR') {
    return new ArchiveError('archive-truncated', `The compressed data of ${path} is cut off.`, { cause: error });
  }
  if (!error.code.startsWith('Z_')) return error;
  // Only what follows a gzip member can lack the gzip signature: the first one was seen before.
  if (error.message === 'incorrect header check') {
    return new ArchiveError('archive-trailing-data', `${path} goes on after its gzip data ends.`, { cause: error });
  }
  const code = error.message === 'incorrect data check' ? 'archive-crc-mismatch' : 'archive-corrupt';
  return new ArchiveError(code, `The compressed data of ${path} is damaged (${error.message}).`, { cause: error });
}
