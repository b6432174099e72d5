import type { FileHandle } from 'node:fs/promises';
import yauzl, { type Entry, type LocalFileHeader, type ZipFile } from 'yauzl';
import { ArchiveError } from '../errors.ts';
import { readExactly } from '../read-exactly.ts';
import { printable } from './printable.ts';

const HAS_DESCRIPTOR = 0x0008;
const UNKNOWN_32 = 0xffffffff;
const EMPTY_DEFLATE_BYTES = 2;

/**
 * Holds an entry's local header, and its data descriptor where it has one, against the central directory. Readers that
 * stream believe the local header, readers that seek the directory; only where both agree is the entry one thing.
 */
export async function checkLocalHeader(
  zip: ZipFile,
  file: FileHandle,
  entry: Entry,
  directoryOffset: number,
  path: string,
): Promise<{ start: number; dataOffset: number; end: number }> {
  const start = entry.relativeOffsetOfLocalHeader;
  const local = await zip.readLocalFileHeaderPromise(entry);
  const name = printable(entry.fileNameRaw.toString('latin1'));
  const differs = (field: string) =>
    new ArchiveError(
      'archive-ambiguous',
      `The local header of ${name} in ${path}, at byte ${start}, has another ${field} than the directory.`,
    );
  if (!local.fileName.equals(entry.fileNameRaw)) throw differs('name');
  if (local.compressionMethod !== entry.compressionMethod) throw differs('compression method');
  // Encryption, descriptor and strong encryption change how the data is read; the others are hints.
  if (((local.generalPurposeBitFlag ^ entry.generalPurposeBitFlag) & 0x2049) !== 0) throw differs('set of flags');
  const dataEnd = local.fileDataStart + entry.compressedSize;
  const pastDirectory = () =>
    new ArchiveError(
      'archive-ambiguous',
      `${name} in ${path} reaches into the central directory at byte ${directoryOffset}.`,
    );
  if (dataEnd > directoryOffset) throw pastDirectory();
  const described = (local.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
  const { compressed, uncompressed } = localSizes(local);
  // With a descriptor the local fields may be zero, or filled in nevertheless; some writers say "unknown" there.
  const isOpen = (found: number) => described && (found === 0 || found === UNKNOWN_32);
  const disagrees = (found: number, expected: number) => found !== expected && !isOpen(found);
  if (disagrees(local.crc32, entry.crc32)) throw differs('CRC-32');
  if (disagrees(compressed, entry.compressedSize)) throw differs('compressed size');
  if (disagrees(uncompressed, entry.uncompressedSize)) throw differs('size');
  if (!described) return { start, dataOffset: local.fileDataStart, end: dataEnd };
  const bytes = (await descriptorBytes(file, entry, dataEnd, directoryOffset)) ?? (isEmpty(entry) ? 0 : undefined);
  if (bytes === undefined) {
    throw new ArchiveError(
      'archive-ambiguous',
      `The data descriptor of ${name} in ${path}, at byte ${dataEnd}, disagrees with the directory.`,
    );
  }
  return { start, dataOffset: local.fileDataStart, end: dataEnd + bytes };
}

/** Some writers set the flag of a descriptor on everything, and leave it out where nothing is to be described. */
function isEmpty({ crc32, uncompressedSize, compressedSize }: Entry): boolean {
  return crc32 === 0 && uncompressedSize === 0 && compressedSize <= EMPTY_DEFLATE_BYTES;
}

/** Sizes past 4 GiB stand in the ZIP64 extra field, in this order (APPNOTE 4.5.3). */
function localSizes(local: LocalFileHeader): { compressed: number; uncompressed: number } {
  let { compressedSize: compressed, uncompressedSize: uncompressed } = local;
  const extra = yauzl.parseExtraFields(local.extraField).find((field) => field.id === 0x0001)?.data;
  let at = 0;
  const next = (field: number) => {
    if (field !== UNKNOWN_32 || !extra || at + 8 > extra.length) return field;
    const value = Number(extra.readBigUInt64LE(at));
    at += 8;
    return value;
  };
  uncompressed = next(uncompressed);
  compressed = next(compressed);
  return { compressed, uncompressed };
}

/** Length of the descriptor (signed or not, 32 or 64 bit), or undefined when none of the forms agrees. */
async function descriptorBytes(
  file: FileHandle,
  entry: Entry,
  at: number,
  directoryOffset: number,
): Promise<number | undefined> {
  const found = await readExactly(file, at, Math.min(24, directoryOffset - at));
  const { crc32, compressedSize, uncompressedSize } = entry;
  for (const signed of [true, false]) {
    for (const wide of [false, true]) {
      // Sizes that 32 bits cannot hold are not compared modulo 4 GiB.
      if (!wide && Math.max(compressedSize, uncompressedSize) > UNKNOWN_32) continue;
      const form = Buffer.alloc((signed ? 4 : 0) + 4 + (wide ? 16 : 8));
      let cursor = signed ? form.writeUInt32LE(0x08074b50, 0) : 0;
      cursor = form.writeUInt32LE(crc32, cursor);
      for (const size of [compressedSize, uncompressedSize]) {
        if (wide) cursor = form.writeBigUInt64LE(BigInt(size), cursor);
        else cursor = form.writeUInt32LE(size, cursor);
      }
      if (found.length >= form.length && found.subarray(0, form.length).equals(form)) return form.length;
    }
  }
  return undefined;
}
