import { constants, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { ContentIdentity } from './content-identity.ts';
import { ArchiveError } from './errors.ts';
import { readFailure } from './file-failures.ts';
import { readExactly } from './read-exactly.ts';
import { sniff, SNIFF_BYTES } from './sniff.ts';
import { unpack, type Expected, type Packed, type Unpacked } from './unpack.ts';
import { readDirectory, type ArchiveLimits } from './zip/directory.ts';

/** An archive of which kind and identity are known. That it is whole shows when it has been read to its end. */
export interface Archive {
  /** `plain` is JSON or NDJSON. */
  readonly kind: 'zip' | 'gzip' | 'plain';
  /** The same for the same content, whatever it is packed in (see ContentIdentity); of a ZIP as its directory says. */
  readonly identity: string;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /**
   * The JSON document in pieces of up to 256 KiB, as fast as it is pulled; a piece's memory goes back when the next one
   * is asked for. May be called again. Fails when the file is
   * no longer the one inspected, on damage, and on a length or a CRC-32 other than `identity` names. Aborting rejects
   * with the signal's reason.
   */
  open(signal?: AbortSignal): AsyncIterable<Buffer>;
}

interface InspectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sees the content on the way. */
  readonly onContent?: ((chunk: Buffer) => void) | undefined;
}

/**
 * Tells a local file's kind by its content, checks its headers and finds its identity. What has no directory is read to
 * its end for that. Memory does not depend on the file's size. Throws ArchiveError (scope `source`, never to be
 * retried); aborting rejects with the signal's reason.
 */
export async function inspectArchive(
  path: string,
  limits: ArchiveLimits,
  options: InspectOptions = {},
): Promise<Archive> {
  options.signal?.throwIfAborted();
  let file: FileHandle;
  try {
    // A FIFO without a writer would keep the open, and with it the process, waiting for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw readFailure(error, path);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new ArchiveError(
        'archive-missing',
        `${path} is ${stats.isDirectory() ? 'a directory' : 'not a regular file'}.`,
      );
    }
    if (stats.size === 0) throw new ArchiveError('archive-empty', `${path} holds no bytes.`);
    const kind = await kindOf(file, stats.size, path);
    if (kind === 'zip') return await inspectZip(file, stats, path, limits, options);
    return await inspectStream(kind, stats, path, limits, options);
  } catch (error) {
    throw error instanceof ArchiveError ? error : readFailure(error, path);
  } finally {
    await file.close();
  }
}

async function kindOf(file: FileHandle, fileBytes: number, path: string): Promise<Archive['kind']> {
  const content = sniff(await readExactly(file, 0, Math.min(SNIFF_BYTES, fileBytes)));
  if (typeof content === 'string') return content;
  throw new ArchiveError('not-an-archive', `${path} is not a ZIP: looks like ${content.foreign}.`);
}

async function inspectZip(
  file: FileHandle,
  stats: Stats,
  path: string,
  limits: ArchiveLimits,
  options: InspectOptions,
): Promise<Archive> {
  const entry = await readDirectory(file, stats.size, path, limits, options.signal);
  const packed: Packed = {
    path,
    compression: entry.method === 'stored' ? 'none' : 'deflate',
    offset: entry.dataOffset,
    bytes: entry.compressedBytes,
  };
  const expected: Expected = {
    bytes: entry.uncompressedBytes,
    crc32: entry.crc32,
    maxBytes: limits.maxBytes,
    excess: 'archive-too-large',
  };
  const { identity } = await read(packed, expected, `${entry.name} in ${path}`, { ...options, isHeadEnough: true });
  const declared = { bytes: entry.uncompressedBytes, crc32: entry.crc32 };
  return archive('zip', { ...declared, identity: identity.end(declared) }, packed, expected, stats);
}

async function inspectStream(
  kind: 'gzip' | 'plain',
  stats: Stats,
  path: string,
  limits: ArchiveLimits,
  options: InspectOptions,
): Promise<Archive> {
  const packed: Packed = { path, compression: kind === 'gzip' ? 'gzip' : 'none', offset: 0, bytes: stats.size };
  if (kind === 'plain' && stats.size > limits.maxBytes) {
    throw new ArchiveError('archive-too-large', `${path} has ${stats.size} bytes; the limit is ${limits.maxBytes}.`);
  }
  const byRatio = stats.size * limits.maxRatio;
  const maxBytes = Math.min(limits.maxBytes, byRatio);
  const excess: Expected['excess'] = byRatio < limits.maxBytes ? 'archive-bomb' : 'archive-too-large';
  const { identity, found } = await read(packed, { maxBytes, excess }, path, { ...options, isHeadEnough: false });
  const expected: Expected = { ...found, maxBytes, excess };
  return archive(kind, { ...found, identity: identity.end(found) }, packed, expected, stats);
}

/** Reads the content, all of it or what its identity needs, and looks at its beginning: a ZIP may hold a page of HTML named .json. */
async function read(
  packed: Packed,
  expected: Expected,
  name: string,
  { signal, onContent, isHeadEnough }: InspectOptions & { readonly isHeadEnough: boolean },
): Promise<{ readonly identity: ContentIdentity; readonly found: Unpacked }> {
  const content = unpack(packed, expected, signal);
  const identity = new ContentIdentity();
  try {
    let step = await content.next();
    if (step.done) throw new ArchiveError('archive-empty', `${name} holds no bytes.`);
    const kind = sniff(step.value.subarray(0, SNIFF_BYTES));
    if (kind === 'zip' || kind === 'gzip')
      throw new ArchiveError('archive-nested', `${name} holds another archive (${kind}).`);
    if (typeof kind !== 'string')
      throw new ArchiveError('not-an-archive', `${name} is not JSON: looks like ${kind.foreign}.`);
    while (!step.done && !(isHeadEnough && identity.isHeadComplete)) {
      onContent?.(step.value);
      identity.push(step.value);
      step = await content.next();
    }
    return { identity, found: step.done ? step.value : NOTHING };
  } finally {
    await content.return(NOTHING);
  }
}

const NOTHING: Unpacked = { bytes: 0, crc32: 0 };

function archive(
  kind: Archive['kind'],
  { identity, bytes }: Unpacked & { readonly identity: string },
  packed: Packed,
  expected: Expected,
  inspected: Stats,
): Archive {
  return {
    kind,
    identity,
    compressedBytes: inspected.size,
    uncompressedBytes: bytes,
    async *open(signal) {
      let now: Stats;
      try {
        now = await stat(packed.path);
      } catch (error) {
        throw readFailure(error, packed.path);
      }
      if (now.ino !== inspected.ino || now.size !== inspected.size || now.mtimeMs !== inspected.mtimeMs) {
        throw new ArchiveError('archive-changed', `${packed.path} is no longer the file that was verified.`);
      }
      yield* unpack(packed, expected, signal);
    },
  };
}
