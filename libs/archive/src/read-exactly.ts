import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from './errors.ts';

/** Reads `length` bytes at `position`; a file that ends earlier has shrunk since it was measured. */
export async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = await readUpTo(file, position, length);
  if (bytes.length === length) return bytes;
  throw new ArchiveError('archive-truncated', `The file ends at byte ${position + bytes.length}, inside a header.`);
}

/** `length` bytes at `position`, or as many as there are. */
export async function readUpTo(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
