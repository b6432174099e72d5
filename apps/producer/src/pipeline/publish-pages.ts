import type { Availability } from '@genesys-kafka/ledger';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import type { StagedStep } from '../stage/staged-step.ts';
import { mapAhead } from './map-ahead.ts';
import { prefetch } from './prefetch.ts';
import { readPages, type FetchPage, type Page } from './read-pages.ts';
import { inSegments } from './segments.ts';
import type { PagePosition, SourcePublisher } from './source-publisher.ts';
import type { StageOptions } from './stage-archive.ts';

/** Records that go in one step; a page of more is resumed inside by its SHA-256. */
const RECORDS_PER_STEP = 100;

/** Records of one page, and where the job stands after so many of them; without records, past an empty page. */
interface PageStep {
  readonly records: readonly ScannedRecord[];
  readonly availableUntil: string | undefined;
  readonly positionAt: (records: number) => PagePosition;
  /** To be called when the records are read no more. */
  readonly onStaged: () => void;
}

/**
 * Follows a job's cursor from where the source stands to its last page, the one without a cursor: an empty page is not
 * the end. One page is fetched ahead of the one being staged. Resolves with what all of its pages say of
 * `dataAvailabilityDate`, those of earlier runs included: what came after the earliest may be missing.
 */
export async function publishPages(
  fetchPage: FetchPage,
  source: SourcePublisher,
  { scan, stager }: Pick<StageOptions, 'scan' | 'stager'>,
  signal: AbortSignal,
): Promise<Availability> {
  source.continueFromPosition();
  const { records, cursor, page: resumed } = source.entry.position;
  let { availability = {} } = source.entry.position;
  const start = { cursor, ordinal: records - (resumed?.done ?? 0) };
  const pages = prefetch(readPages(fetchPage, source.id, start, scan, signal), 1);
  async function* steps(): AsyncGenerator<PageStep> {
    for await (const page of pages) {
      signal.throwIfAborted();
      const isResumed = resumed !== undefined && page.number === 0;
      if (isResumed && page.sha256 !== resumed.sha256) throw source.changed();
      availability = joined(availability, page.availability);
      yield* stepsOf({ ...page, availability }, isResumed ? resumed.done : 0);
    }
  }
  const staged = mapAhead(steps(), stager.ahead, async ({ records: all, availableUntil, positionAt, onStaged }) => {
    const parts: StagedStep[] = [];
    for await (const segment of inSegments([all], 0)) {
      parts.push(await stager.stage(segment, { ...source.facts, availableUntil }));
    }
    onStaged();
    return { parts, positionAt };
  });
  for await (const { parts, positionAt } of staged) {
    if (parts.length === 0) await source.moveTo(positionAt(0));
    let taken = 0;
    for (const part of parts) {
      const before = taken;
      taken += part.facts.count;
      await source.publish(part, (more) => positionAt(before + more), signal);
    }
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

function* stepsOf(page: Page, done: number): Generator<PageStep> {
  const { availability, availableUntil, cursor, nextCursor, records, sha256 } = page;
  const next: PagePosition | undefined = nextCursor === undefined ? undefined : { availability, cursor: nextCursor };
  const here: PagePosition = { availability, ...(cursor === undefined ? {} : { cursor }) };
  let left = Math.ceil((records.length - done) / RECORDS_PER_STEP);
  const onStaged = () => {
    left -= 1;
    if (left <= 0) page.release();
  };
  for (let at = done; at < records.length; at += RECORDS_PER_STEP) {
    const positionAt = (taken: number) => {
      const isLast = at + taken === records.length;
      return isLast && next ? next : { ...here, page: { sha256, done: at + taken } };
    };
    yield { records: records.slice(at, at + RECORDS_PER_STEP), availableUntil, positionAt, onStaged };
  }
  if (done >= records.length && next) yield { records: [], availableUntil, positionAt: () => next, onStaged };
}
