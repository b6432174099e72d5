import type { ScannedRecord, ScanOptions } from '@genesys-kafka/record-parser';
import type { BatchValidator, ValidatedRecord } from '../validate/batch-validator.ts';
import { mapAhead } from './map-ahead.ts';
import type { SourcePublisher } from './source-publisher.ts';

/** What the reading of every source needs. */
export interface ReadOptions {
  readonly scan: ScanOptions;
  readonly validator: BatchValidator;
}

/** Batches that are validated while one is published: pieces of an archive of 256 KiB, or steps of a page. */
const BATCHES_AHEAD = 2;

/** A piece of 256 KiB may hold thousands of tiny records, each of which takes a kilobyte of objects on its way. */
const MAX_BATCH_RECORDS = 250;
/**
 * A batch goes into one transaction, which has its time: over the slowest of lines that has to do for it. An
 * ordinary record that passes it belongs to the batch, or each piece of 256 KiB would make two: a full one, and one of a
 * single record.
 */
const MAX_BATCH_BYTES = 256 * 1024;
const ORDINARY_BYTES = 32 * 1024;

/** The source's records, validated where they are still to be published. */
export function validateAhead(
  batches: AsyncIterable<readonly ScannedRecord[]>,
  source: SourcePublisher,
  { validator }: ReadOptions,
): AsyncIterable<ValidatedRecord[]> {
  return mapAhead(inParts(batches), BATCHES_AHEAD, (records) => validator.validate(records, source.skipped));
}

async function* inParts(batches: AsyncIterable<readonly ScannedRecord[]>): AsyncGenerator<readonly ScannedRecord[]> {
  for await (const records of batches) {
    let part: ScannedRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      const most = record.length <= ORDINARY_BYTES ? MAX_BATCH_BYTES : MAX_BATCH_BYTES - record.length;
      if (part.length === MAX_BATCH_RECORDS || (part.length > 0 && bytes > most)) {
        yield part;
        part = [];
        bytes = 0;
      }
      part.push(record);
      bytes += record.length;
    }
    if (part.length > 0) yield part;
  }
}
