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
    for (let at = 0; at < records.length; at += MAX_BATCH_RECORDS) yield records.slice(at, at + MAX_BATCH_RECORDS);
  }
}
