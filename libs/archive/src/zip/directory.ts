import type { FileHandle } from 'node:fs/promises';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { ArchiveError } from '../errors.ts';
import { readEndRecord } from './end-record.ts';
import { checkLocalHeader } from './local-header.ts';
import { printable } from './printable.ts';
import { WindowReader } from './window-reader.ts';

export interface ArchiveLimits {
  /** Most uncompressed bytes per compressed byte. */
  readonly maxRatio: number;
  /** Most uncompressed bytes. */
  readonly maxBytes: number;
  /** Most entries of a ZIP, ignored ones included. */
  readonly maxEntries: number;
}

/** The one JSON entry of a ZIP, its place checked against every header. */
interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflate';
  readonly dataOffset: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly crc32: number;
}

/** A directory is held in memory. This is a thousand times what an export needs, and room for 10,000 long names. */
const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024;

const JSON_NAME = /\.(json|ndjson|jsonl)$/i;
const ARCHIVE_NAME = /\.(zip|gz|tgz|7z|rar)$/i;

/**
 * The one JSON entry of a ZIP. Reads the central directory and holds it against everything else that the file says
 * about its entries. Nothing is inflated. Refuses what two readers could read differently.
 */
export async function readDirectory(
  file: FileHandle,
  fileBytes: number,
  path: string,
  limits: ArchiveLimits,
  signal: AbortSignal | undefined,
): Promise<ZipEntry> {
  const end = await readEndRecord(file, fileBytes, path);
  if (end.entries === 0) throw new ArchiveError('archive-empty', `${path} is a ZIP without entries.`);
  if (end.entries > limits.maxEntries) {
    throw new ArchiveError(
      'archive-too-many-entries',
      `${path} has ${end.entries} entries; the limit is ${limits.maxEntries}.`,
    );
  }
  if (end.directoryBytes > MAX_DIRECTORY_BYTES) {
    throw new ArchiveError(
      'archive-directory-too-large',
      `The central directory of ${path} has ${end.directoryBytes} bytes; the limit is ${MAX_DIRECTORY_BYTES}.`,
    );
  }
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new WindowReader(file), fileBytes, {
      autoClose: false,
      decodeStrings: false,
    });
    const entries = await readEntries(zip, path, signal);
    const directoryBytes = entries.reduce((sum, entry) => sum + headerBytes(entry), 0);
    if (directoryBytes !== end.directoryBytes) {
      throw new ArchiveError(
        'archive-corrupt',
        `The central directory of ${path} holds more than its ${end.entries} entries.`,
      );
    }
    checkSizes(entries, fileBytes, path, limits);
    const spans: Span[] = [];
    for (const entry of entries) {
      signal?.throwIfAborted();
      spans.push({ entry, ...(await checkLocalHeader(zip, file, entry, end.directoryOffset, path)) });
    }
    checkOverlap(spans, path);
    return describe(choose(entries, path), spans, path);
  } catch (error) {
    throw fromYauzl(error, path, signal);
  }
}

interface Span {
  readonly entry: Entry;
  readonly start: number;
  readonly dataOffset: number;
  readonly end: number;
}

async function readEntries(zip: ZipFile, path: string, signal: AbortSignal | undefined): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted();
    const name = nameOf(entry);
    if (names.has(name))
      throw new ArchiveError('archive-ambiguous', `${path} has two entries named ${printable(name)}.`);
    names.add(name);
    entries.push(entry);
  }
  return entries;
}

const headerBytes = (entry: Entry) => 46 + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;

/** Decoded for people and for the rules below, never used as a path. Backslashes count as separators. */
function nameOf(entry: Entry): string {
  return yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
}

function checkSizes(entries: readonly Entry[], fileBytes: number, path: string, limits: ArchiveLimits): void {
  const total = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
  if (total > limits.maxBytes) {
    throw new ArchiveError('archive-too-large', `${path} unpacks to ${total} bytes; the limit is ${limits.maxBytes}.`);
  }
  for (const { uncompressedSize, compressedSize } of entries) {
    if (uncompressedSize <= compressedSize * limits.maxRatio) continue;
    const ratio = Math.round(uncompressedSize / Math.max(compressedSize, 1));
    throw new ArchiveError(
      'archive-bomb',
      `${path} claims to unpack ${ratio} times; the limit is ${limits.maxRatio} (a bomb?).`,
    );
  }
  if (total > fileBytes * limits.maxRatio) {
    throw new ArchiveError('archive-bomb', `${path} unpacks more than ${limits.maxRatio} times its size (a bomb?).`);
  }
}

function checkOverlap(spans: readonly Span[], path: string): void {
  const ordered = spans.toSorted((a, b) => a.start - b.start);
  if (ordered[0]!.start !== 0) {
    throw new ArchiveError('archive-corrupt', `${path} has ${ordered[0]!.start} bytes before its first entry.`);
  }
  for (const [index, span] of ordered.entries()) {
    const next = ordered[index + 1];
    if (next && span.end > next.start) {
      throw new ArchiveError('archive-ambiguous', `Two entries of ${path} overlap at byte ${next.start} (a bomb?).`);
    }
  }
}

/** Exactly one JSON file; directories, macOS' resource forks and other files are ignored. */
function choose(entries: readonly Entry[], path: string): Entry {
  const names = new Map(entries.map((entry) => [entry, nameOf(entry)]));
  const candidates = entries.filter((entry) => {
    const name = names.get(entry)!;
    return JSON_NAME.test(name) && !/^__MACOSX\/|(^|\/)\._/.test(name);
  });
  const [chosen, second] = candidates;
  const list = (some: readonly Entry[]) => {
    const shown = some.slice(0, 10).map((entry) => printable(names.get(entry)!));
    return shown.join(', ') + (some.length > 10 ? ` and ${some.length - 10} more` : '');
  };
  if (chosen && second) {
    throw new ArchiveError(
      'archive-ambiguous-entries',
      `${path} has ${candidates.length} JSON files: ${list(candidates)}.`,
    );
  }
  if (chosen) return chosen;
  const files = entries.filter((entry) => !names.get(entry)!.endsWith('/'));
  const nested = files.filter((entry) => ARCHIVE_NAME.test(names.get(entry)!));
  if (nested.length > 0) throw new ArchiveError('archive-nested', `${path} holds archives, not JSON: ${list(nested)}.`);
  throw new ArchiveError('archive-no-json', `${path} has no JSON file; it holds ${list(files) || 'directories only'}.`);
}

function describe(entry: Entry, spans: readonly Span[], path: string): ZipEntry {
  const name = printable(nameOf(entry));
  // Bit 0: encrypted; 6: strong encryption; 13: header masked. Method 99 is WinZip's AES.
  if ((entry.generalPurposeBitFlag & 0x2041) !== 0 || entry.compressionMethod === 99) {
    throw new ArchiveError('archive-encrypted', `${name} in ${path} is encrypted.`);
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw new ArchiveError(
      'archive-unsupported',
      `${name} in ${path} uses compression method ${entry.compressionMethod}.`,
    );
  }
  const isLink = entry.versionMadeBy >> 8 === 3 && ((entry.externalFileAttributes >>> 28) & 0xf) === 0xa;
  if (isLink) throw new ArchiveError('archive-unsupported', `${name} in ${path} is a symbolic link.`);
  if (entry.uncompressedSize === 0) throw new ArchiveError('archive-empty', `${name} in ${path} holds no bytes.`);
  return {
    name,
    method: entry.compressionMethod === 0 ? 'stored' : 'deflate',
    dataOffset: spans.find((span) => span.entry === entry)!.dataOffset,
    compressedBytes: entry.compressedSize,
    uncompressedBytes: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

/** yauzl throws plain errors, the one of strong encryption apart, all of them about a malformed directory. */
function fromYauzl(error: unknown, path: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof ArchiveError || signal?.aborted || !(error instanceof Error) || 'syscall' in error) return error;
  if (error.message.includes('encryption')) {
    return new ArchiveError('archive-encrypted', `${path} is encrypted.`, { cause: error });
  }
  if (error.constructor !== Error) return error;
  return new ArchiveError('archive-corrupt', `The ZIP headers of ${path} are damaged (${error.message}).`, {
    cause: error,
  });
}
