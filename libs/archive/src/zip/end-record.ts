import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from '../errors.ts';
import { readExactly } from '../read-exactly.ts';

/** Where the central directory lies. */
interface EndRecord {
  readonly entries: number;
  readonly directoryOffset: number;
  readonly directoryBytes: number;
}

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Reads the end of central directory record and its ZIP64 form, strictly (APPNOTE 4.3.14 to 4.3.16): nothing may
 * follow the record, the directory must end where the record begins, and the two forms must not contradict each
 * other. yauzl reads the same record but leaves directory size, disk numbers and contradictions unchecked.
 */
export async function readEndRecord(file: FileHandle, fileBytes: number, path: string): Promise<EndRecord> {
  const tailStart = Math.max(0, fileBytes - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await readExactly(file, tailStart, fileBytes - tailStart);
  const at = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (at < 0 || at + END_BYTES > tail.length) {
    throw new ArchiveError('archive-truncated', `${path} ends at byte ${fileBytes} without a ZIP end record.`);
  }
  const end = tail.subarray(at);
  const endOffset = tailStart + at;
  const commentEnd = END_BYTES + end.readUInt16LE(20);
  if (commentEnd > end.length) {
    throw new ArchiveError('archive-truncated', `${path} ends at byte ${fileBytes} inside its ZIP end record.`);
  }
  if (commentEnd < end.length) {
    const extra = end.length - commentEnd;
    throw new ArchiveError(
      'archive-trailing-data',
      `${path} has ${extra} bytes after its end, at ${endOffset + commentEnd}.`,
    );
  }
  const disks = [end.readUInt16LE(4), end.readUInt16LE(6)];
  const counts = [end.readUInt16LE(8), end.readUInt16LE(10)] as const;
  const small = { entries: counts[1], directoryBytes: end.readUInt32LE(12), directoryOffset: end.readUInt32LE(16) };
  const large = await readZip64End(file, endOffset, path);
  if (disks.some((disk) => disk !== 0 && !(large && disk === 0xffff)) || (counts[0] !== counts[1] && !large)) {
    throw new ArchiveError('archive-unsupported', `${path} is one part of a multi-disk ZIP.`);
  }
  if (!large) return placed(small, endOffset, path);
  const agrees =
    (small.entries === large.entries || small.entries === 0xffff) &&
    (small.directoryBytes === large.directoryBytes || small.directoryBytes === 0xffffffff) &&
    (small.directoryOffset === large.directoryOffset || small.directoryOffset === 0xffffffff);
  if (!agrees) throw new ArchiveError('archive-ambiguous', `The two end records of ${path}, ZIP and ZIP64, disagree.`);
  return placed(large, large.recordOffset, path);
}

async function readZip64End(
  file: FileHandle,
  endOffset: number,
  path: string,
): Promise<(EndRecord & { recordOffset: number }) | undefined> {
  if (endOffset < LOCATOR_BYTES) return undefined;
  const locator = await readExactly(file, endOffset - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== 0x07064b50) return undefined;
  const recordOffset = safe(locator.readBigUInt64LE(8), path);
  if (recordOffset + ZIP64_END_BYTES > endOffset - LOCATOR_BYTES) {
    throw new ArchiveError('archive-corrupt', `The ZIP64 locator of ${path} points past itself, to ${recordOffset}.`);
  }
  const record = await readExactly(file, recordOffset, ZIP64_END_BYTES);
  if (record.readUInt32LE(0) !== 0x06064b50) {
    throw new ArchiveError('archive-corrupt', `${path} has no ZIP64 end record at byte ${recordOffset}.`);
  }
  if (recordOffset + 12 + safe(record.readBigUInt64LE(4), path) !== endOffset - LOCATOR_BYTES) {
    throw new ArchiveError('archive-corrupt', `The ZIP64 end record of ${path} does not end where its locator begins.`);
  }
  const disks = [locator.readUInt32LE(4), record.readUInt32LE(16), record.readUInt32LE(20)];
  if (disks.some((disk) => disk !== 0) || locator.readUInt32LE(16) > 1) {
    throw new ArchiveError('archive-unsupported', `${path} is one part of a multi-disk ZIP.`);
  }
  return {
    recordOffset,
    entries: safe(record.readBigUInt64LE(32), path),
    directoryBytes: safe(record.readBigUInt64LE(40), path),
    directoryOffset: safe(record.readBigUInt64LE(48), path),
  };
}

/** The directory must lie right before the record that names it: a gap would be room for a second one. */
function placed(end: EndRecord, recordOffset: number, path: string): EndRecord {
  const { entries, directoryOffset, directoryBytes } = end;
  const shift = recordOffset - (directoryOffset + directoryBytes);
  if (shift === 0) return { entries, directoryOffset, directoryBytes };
  throw new ArchiveError(
    'archive-corrupt',
    shift > 0
      ? `${path} has ${shift} bytes too many before its central directory ends at ${recordOffset}.`
      : `The central directory of ${path} reaches ${-shift} bytes past the end record at ${recordOffset}.`,
  );
}

function safe(value: bigint, path: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ArchiveError('archive-corrupt', `A ZIP64 field of ${path} holds an impossible number.`);
  }
  return Number(value);
}
