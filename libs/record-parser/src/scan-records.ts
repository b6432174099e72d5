import type { ScannedRecord, ScanOptions } from './record.ts';
import { RecordScanner } from './record-scanner.ts';

/** Records that one batch has at most, about: each takes hundreds of bytes of objects, however short it is. */
const BATCH_RECORDS = 1000;
const MIN_PIECE_BYTES = 2048;

/**
 * The records of a document, in batches of what each chunk completes (empty batches are left out); a chunk of tiny
 * records comes in several. Pulls one chunk at a time. Throws as RecordScanner does, after yielding the records before the fault; errors of the source pass
 * through, and a reader that stops early ends the source.
 */
export async function* scanRecords(
  chunks: AsyncIterable<Buffer>,
  options: ScanOptions,
): AsyncGenerator<ScannedRecord[], void, undefined> {
  const scanner = new RecordScanner(options);
  let pieceBytes = MIN_PIECE_BYTES;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + pieceBytes);
      at += piece.length;
      const records = scanner.push(piece);
      if (records.length > 0) yield records;
      pieceBytes = records.length === 0 ? pieceBytes * 8 : nextPieceBytes(piece.length, records.length);
    }
  }
  const records = scanner.end();
  if (records.length > 0) yield records;
}

/** Of the bytes that hold a batch's number of records, if the next ones are like the last ones. */
function nextPieceBytes(bytes: number, records: number): number {
  return Math.max(MIN_PIECE_BYTES, Math.floor((bytes * BATCH_RECORDS) / records));
}
