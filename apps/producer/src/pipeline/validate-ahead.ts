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

/** The source's records, validated where they are still to be published. */
export function validateAhead(
  batches: AsyncIterable<readonly ScannedRecord[]>,
  source: SourcePublisher,
  { validator }: ReadOptions,
): AsyncIterable<ValidatedRecord[]> {
  return mapAhead(batches, BATCHES_AHEAD, (records) => validator.validate(records, source.skipped));
}
