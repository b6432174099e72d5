import type { Archive } from '@genesys-kafka/archive';
import { scanRecords, type ScanOptions } from '@genesys-kafka/record-parser';
import type { Judge } from '../validate/judge.ts';
import { mapAhead } from './map-ahead.ts';
import { prefetch } from './prefetch.ts';
import type { SourcePublisher } from './source-publisher.ts';

/** Pieces of 256 KiB that may be inflated and scanned, and as many that may be judged, ahead of the publishing. */
const PIECES_AHEAD = 2;

export interface ReadOptions {
  readonly scan: ScanOptions;
  readonly judge: Judge;
}

/**
 * Reads a verified archive to its end onto the topic; resolves with the number of records it holds.
 * Memory: four pieces ahead, the record that spans them, and the publisher's buffer.
 */
export async function publishArchive(
  archive: Archive,
  source: SourcePublisher,
  { scan, judge }: ReadOptions,
  signal: AbortSignal,
): Promise<number> {
  let records = 0;
  const scanned = prefetch(scanRecords(archive.open(signal), scan), PIECES_AHEAD);
  for await (const judged of mapAhead(scanned, PIECES_AHEAD, (batch) => judge.judge(batch, source.skipped))) {
    signal.throwIfAborted();
    records += judged.length;
    await source.publish(judged);
  }
  source.assertReached(records);
  return records;
}
