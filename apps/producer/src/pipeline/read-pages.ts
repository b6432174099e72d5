import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { readInstant } from '@genesys-kafka/genesys-client';
import type { Availability } from '@genesys-kafka/ledger';
import { ParserError, RecordScanner, type ScannedRecord, type ScanOptions } from '@genesys-kafka/record-parser';
import { giveBack } from '@genesys-kafka/resilience/memory';
import { ProducerError } from '../errors.ts';

/** One page of a job's results as its original bytes, in memory of the caller's. `cursor` is absent for the first. */
export type FetchPage = (cursor: string | undefined, signal: AbortSignal) => Promise<Buffer>;

export interface Page {
  readonly number: number;
  /** The cursor that this page was asked with. */
  readonly cursor: string | undefined;
  readonly nextCursor: string | undefined;
  readonly sha256: string;
  readonly records: readonly ScannedRecord[];
  /** `dataAvailabilityDate`, in Genesys' own words; undefined where the page has none, or none that can be read. */
  readonly availableUntil: string | undefined;
  readonly availability: Availability;
  /** Gives its memory back: to be called once nobody reads its records any more. */
  release(): void;
}

/** Scanned at once, before others get their turn: a page may be tens of megabytes. */
const PIECE_BYTES = 1024 * 1024;

/** Far more than any page has that was asked for; a record of two bytes takes hundreds of memory. */
const MAX_PAGE_RECORDS = 100_000;

/**
 * A job's pages, each checked whole before it is handed out, from a cursor to the page without one. Rejects with
 * `no-page`, `cursor-loop` or a ParserError; what `fetchPage` raises passes through.
 */
export async function* readPages(
  fetchPage: FetchPage,
  jobId: string,
  start: { readonly cursor: string | undefined; readonly ordinal: number },
  scan: ScanOptions,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let { cursor, ordinal } = start;
  let previous: string | undefined;
  for (let number = 0; ; number += 1) {
    if (cursor !== undefined) seen.add(cursor);
    const bytes = await fetchPage(cursor, signal);
    const place = { page: number, jobId, ordinal };
    const scanned = scanPage(bytes, cursor === undefined, ordinal, scan);
    const { problem, ...page } = await scanned.catch((error: unknown) => {
      throw error instanceof ParserError ? inJob(error, place) : error;
    });
    if (problem !== undefined) {
      const what = `Page ${number} of job ${jobId} is no page of results: ${problem}.`;
      throw new ProducerError('no-page', what, { details: { page: number } });
    }
    // Before it is published: a page that leads back, or comes again, would bring its records twice.
    const comesAgain = page.records.length > 0 && page.sha256 === previous;
    if (comesAgain || (page.nextCursor !== undefined && seen.has(page.nextCursor))) {
      const what = `Job ${jobId} answered page ${number} with a cursor that it had given before; its pages have no end.`;
      throw new ProducerError('cursor-loop', what, { details: { page: number } });
    }
    previous = page.sha256;
    yield { ...page, number, cursor, release: () => giveBack(bytes) };
    if (page.nextCursor === undefined) return;
    ordinal += page.records.length;
    cursor = page.nextCursor;
  }
}

/** A fault of a page, with its place in the job: what is published is whole steps of pages that were whole. */
function inJob(fault: ParserError, at: { readonly page: number; readonly jobId: string; readonly ordinal: number }) {
  const { ordinal, offset } = fault.details;
  const inner = typeof ordinal === 'number' ? ordinal : 0;
  const what = `Page ${at.page} of job ${at.jobId} is broken; its first record would be record ${at.ordinal} of the job. In the page itself: ${fault.what}`;
  const remedy =
    'What was published before stands, and nothing more of this page is published. Run the same command again to ' +
    'fetch it anew.';
  const place = { ordinal: at.ordinal + inner, ...(typeof offset === 'number' ? { offset } : {}) };
  return new ParserError(fault.code, what, { remedy, cause: fault, details: { page: at.page, ...place } });
}

/** Why what was scanned is no page. One without conversations may leave the member out; the first of none may be empty. */
function noPage({ envelope, hasConversations }: RecordScanner, isFirst: boolean): string | undefined {
  const { cursor, dataAvailabilityDate } = envelope;
  if (cursor !== undefined && cursor !== null && typeof cursor !== 'string') return 'its cursor is not a string';
  if (hasConversations || cursor !== undefined || dataAvailabilityDate !== undefined) return undefined;
  if (isFirst && Object.keys(envelope).length === 0) return undefined;
  return 'it has neither conversations nor a cursor nor a dataAvailabilityDate';
}

/** A date that is there and cannot be read is not one that is missing. */
function availabilityOf(date: unknown): Pick<Page, 'availableUntil' | 'availability'> {
  if (date === undefined || date === null) return { availableUntil: undefined, availability: {} };
  const until = readInstant(date);
  if (until === undefined) return { availableUntil: undefined, availability: { isUnreadable: true } };
  return { availableUntil: date as string, availability: { until: until.toISOString() } };
}

async function scanPage(
  bytes: Buffer,
  isFirst: boolean,
  firstOrdinal: number,
  scan: ScanOptions,
): Promise<Omit<Page, 'number' | 'cursor' | 'release'> & { readonly problem: string | undefined }> {
  const scanner = new RecordScanner({ ...scan, page: true });
  // Of the records alone: `dataAvailabilityDate` beside them moves on between two fetches of the same page.
  const sha256 = createHash('sha256');
  const records: ScannedRecord[] = [];
  const take = (scanned: readonly ScannedRecord[]) => {
    for (const record of scanned) {
      // Where one record ends and the next begins is part of it; of one that is too long to be kept, that is all.
      const place = record.offset - (records[0] ?? record).offset;
      sha256.update(record.bytes ? `${record.length}:` : `oversize:${place}:${record.length}:`);
      if (record.bytes) sha256.update(record.bytes);
      records.push({ ...record, ordinal: record.ordinal + firstOrdinal });
    }
  };
  for (let at = 0; at < bytes.length && records.length <= MAX_PAGE_RECORDS; at += PIECE_BYTES) {
    take(scanner.push(bytes.subarray(at, at + PIECE_BYTES)));
    await setImmediate();
  }
  const hasTooMany = records.length > MAX_PAGE_RECORDS;
  if (!hasTooMany) take(scanner.end());
  const { cursor, dataAvailabilityDate } = scanner.envelope;
  return {
    problem: hasTooMany ? `it has more than ${MAX_PAGE_RECORDS} records` : noPage(scanner, isFirst),
    records,
    nextCursor: typeof cursor === 'string' && cursor !== '' ? cursor : undefined,
    ...availabilityOf(dataAvailabilityDate),
    sha256: sha256.digest('hex'),
  };
}
