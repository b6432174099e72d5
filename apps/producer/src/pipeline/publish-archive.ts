import type { Archive } from '@genesys-kafka/archive';
import { scanRecords, type ScanOptions } from '@genesys-kafka/record-parser';
import type { BatchValidator } from '../validate/batch-validator.ts';
import { mapAhead } from './map-ahead.ts';
import { prefetch } from './prefetch.ts';
import type { SourcePublisher } from './source-publisher.ts';

/** Pieces of 256 KiB that may be inflated and scanned, and as many that may be validated, ahead of the publishing. */
const PIECES_AHEAD = 2;

/** What the reading of every source needs. */
export interface ReadOptions {
  readonly scan: ScanOptions;
  readonly validator: BatchValidator;
}

/**
 * Reads a verified archive to its end onto the topic; resolves with the number of records it holds.
 * Memory: four pieces ahead, the record that spans them, and the publisher's buffer.
 */
export async function publishArchive(
  archive: Archive,
  source: SourcePublisher,
  { scan, validator }: ReadOptions,
  signal: AbortSignal,
): Promise<number> {
  let read = 0;
  const scanned = prefetch(scanRecords(archive.open(signal), scan), PIECES_AHEAD);
  const validated = mapAhead(scanned, PIECES_AHEAD, (records) => validator.validate(records, source.skipped));
  for await (const records of validated) {
    signal.throwIfAborted();
    read += records.length;
    await source.publish(records);
  }
  source.assertReached(read);
  return read;
}
