import type { Availability } from '@genesys-kafka/ledger';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { prefetch } from './prefetch.ts';
import { readPages, type FetchPage, type Page } from './read-pages.ts';
import type { SourcePublisher } from './source-publisher.ts';
import { validateAhead, type ReadOptions } from './validate-ahead.ts';

/** Records that go in one step; a page of more is resumed inside by its SHA-256. */
const RECORDS_PER_STEP = 100;

/**
 * Follows a job's cursor from where the source stands to its last page, the one without a cursor: an empty page is not
 * the end. One page is fetched ahead of the one being published. Resolves with what all of its pages say of
 * `dataAvailabilityDate`, those of earlier runs included: what came after the earliest may be missing.
 */
export async function publishPages(
  fetchPage: FetchPage,
  source: SourcePublisher,
  reading: ReadOptions,
  signal: AbortSignal,
): Promise<Availability> {
  source.continueFromPosition();
  const { records, cursor, page: resumed } = source.entry.position;
  let { availability = {} } = source.entry.position;
  const start = { cursor, ordinal: records - (resumed?.done ?? 0) };
  for await (const page of prefetch(readPages(fetchPage, source.id, start, reading.scan, signal), 1)) {
    signal.throwIfAborted();
    const isResumed = resumed !== undefined && page.number === 0;
    if (isResumed && page.sha256 !== resumed.sha256) throw source.changed();
    availability = joined(availability, page.availability);
    await publishPage({ ...page, availability }, isResumed ? resumed.done : 0, source, reading);
  }
  return availability;
}

/** The earliest date counts; one that cannot be read hides none, and is not forgotten either. */
function joined(one: Availability, other: Availability): Availability {
  // Both are of `toISOString`: the order of texts is that of moments.
  const [until] = [one.until, other.until].filter((date) => date !== undefined).sort();
  const isUnreadable = one.isUnreadable ?? other.isUnreadable;
  return { ...(until === undefined ? {} : { until }), ...(isUnreadable ? { isUnreadable } : {}) };
}

async function publishPage(page: Page, done: number, source: SourcePublisher, reading: ReadOptions): Promise<void> {
  const { availability } = page;
  const next = { availability, ...(page.nextCursor === undefined ? {} : { cursor: page.nextCursor }) };
  const here = { availability, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) };
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
