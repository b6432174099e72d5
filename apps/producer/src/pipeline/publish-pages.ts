import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { prefetch } from './prefetch.ts';
import { readPages, type FetchPage, type Page } from './read-pages.ts';
import type { SourcePublisher } from './source-publisher.ts';
import { validateAhead, type ReadOptions } from './validate-ahead.ts';

/** Records that go in one step; a page of more is resumed inside by its SHA-256. */
const RECORDS_PER_STEP = 100;

/**
 * Follows a job's cursor from where the source stands to its last page, the one without a cursor: an empty page is not
 * the end. One page is fetched ahead of the one being published. Resolves with the earliest `dataAvailabilityDate` of
 * its pages: what came after it may be missing.
 */
export async function publishPages(
  fetchPage: FetchPage,
  source: SourcePublisher,
  reading: ReadOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  source.continueFromPosition();
  const { records, cursor, page: resumed } = source.entry.position;
  let availableUntil: string | undefined;
  const start = { cursor, ordinal: records - (resumed?.done ?? 0) };
  for await (const page of prefetch(readPages(fetchPage, source.id, start, reading.scan, signal), 1)) {
    signal.throwIfAborted();
    const isResumed = resumed !== undefined && page.number === 0;
    if (isResumed && page.sha256 !== resumed.sha256) throw source.changed();
    await publishPage(page, isResumed ? resumed.done : 0, source, reading);
    availableUntil = earlier(availableUntil, page.availableUntil);
  }
  return availableUntil;
}

function earlier(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Date.parse(other) < Date.parse(one) ? other : one;
}

async function publishPage(page: Page, done: number, source: SourcePublisher, reading: ReadOptions): Promise<void> {
  const next = page.nextCursor === undefined ? {} : { cursor: page.nextCursor };
  const here = page.cursor === undefined ? {} : { cursor: page.cursor };
  let to = done;
  for await (const records of validateAhead(steps(page.records, done), source, reading)) {
    to += records.length;
    const isLast = to === page.records.length && page.nextCursor !== undefined;
    const position = isLast ? next : { ...here, page: { sha256: page.sha256, done: to } };
    await source.publish(records, position, page.availableUntil);
  }
  if (done >= page.records.length && page.nextCursor !== undefined) await source.moveTo(next);
}

async function* steps(records: readonly ScannedRecord[], from: number): AsyncGenerator<readonly ScannedRecord[]> {
  for (let at = from; at < records.length; at += RECORDS_PER_STEP) yield records.slice(at, at + RECORDS_PER_STEP);
}
