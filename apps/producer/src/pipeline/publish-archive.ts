import type { Archive } from '@genesys-kafka/archive';
import { scanRecords } from '@genesys-kafka/record-parser';
import { prefetch } from './prefetch.ts';
import type { SourcePublisher } from './source-publisher.ts';
import { validateAhead, type ReadOptions } from './validate-ahead.ts';

/** Pieces of 256 KiB that may be inflated and scanned ahead of the validating. */
const PIECES_AHEAD = 2;

/**
 * Reads a verified archive to its end onto the topic; resolves with the number of records it holds.
 * Memory: two pieces ahead and two batches of them, the record that spans them, and the publisher's buffer.
 */
export async function publishArchive(
  archive: Archive,
  source: SourcePublisher,
  reading: ReadOptions,
  signal: AbortSignal,
): Promise<number> {
  let read = 0;
  const scanned = prefetch(scanRecords(archive.open(signal), reading.scan), PIECES_AHEAD);
  for await (const records of validateAhead(scanned, source, reading)) {
    signal.throwIfAborted();
    read += records.length;
    await source.publish(records);
  }
  source.assertReached(read);
  return read;
}
