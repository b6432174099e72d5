import type { Archive } from '@genesys-kafka/archive';
import { scanRecords, type ScanOptions } from '@genesys-kafka/record-parser';
import { prefetch } from './prefetch.ts';
import type { SourcePublisher } from './source-publisher.ts';

/** Pieces of 256 KiB that may be inflated and scanned ahead of the validation. */
const PIECES_AHEAD = 2;

/**
 * Reads a verified archive to its end onto the topic; resolves with the number of records it holds.
 * Memory: two pieces ahead, the record that spans them, and the publisher's buffer.
 */
export async function publishArchive(
  archive: Archive,
  source: SourcePublisher,
  scan: ScanOptions,
  signal: AbortSignal,
): Promise<number> {
  let records = 0;
  for await (const scanned of prefetch(scanRecords(archive.open(signal), scan), PIECES_AHEAD)) {
    signal.throwIfAborted();
    records += scanned.length;
    await source.publish(scanned);
  }
  source.assertReached(records);
  return records;
}
