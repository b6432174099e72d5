import { Readable } from 'node:stream';
import { jsonBytes } from '../conversations/json-stream.ts';
import { Random } from '../conversations/random.ts';
import type { Fault } from '../faults/fault-rules.ts';
import { writeCursor } from './cursor.ts';
import type { Place } from './cursor.ts';
import type { DetailsJob } from './details-jobs.ts';

export interface PageOptions {
  readonly job: DetailsJob;
  readonly place: Place;
  /** A page ends before the result of this number, which none may hold. */
  readonly maxResults: number;
  readonly pageSize: number;
  /** Which pages are short follows from it. */
  readonly seed: number;
  /** Share of pages that come back short or, a quarter of those, empty with a cursor. */
  readonly shortShare: number;
  readonly emptyFault: boolean;
  readonly shortFault: (Fault & { kind: 'short-page' }) | undefined;
  readonly loopFault: boolean;
}

/**
 * One page as a stream: `{conversations, cursor?, dataAvailabilityDate}`. The last page has no cursor; where members
 * stand before or after the conversations differs from page to page, as JSON allows.
 */
export function resultsPage(options: PageOptions): Readable {
  const { job, place } = options;
  const { conversations, indexes, availableMs } = job.found;
  const count = pageCount(options);
  const end = place.offset + count;
  const empty = count === 0 && end < indexes.length;
  let members = `"dataAvailabilityDate":"${new Date(availableMs).toISOString()}"`;
  if (options.loopFault) members += `,"cursor":"${writeCursor(job.id, place)}"`;
  else if (end < indexes.length) {
    members += `,"cursor":"${writeCursor(job.id, { offset: end, page: place.page + 1, wasEmpty: empty })}"`;
  }
  const first = place.page % 2 === 1;
  const layout = {
    before: `{${first ? `${members},` : ''}"conversations":[`,
    between: ',',
    after: `]${first ? '' : `,${members}`}}`,
  };
  return Readable.from(jsonBytes(conversations, indexes.subarray(place.offset, end), layout), {
    objectMode: false,
  });
}

/** How many conversations the page holds. Which pages are short depends on the seed and the place only. */
function pageCount(options: PageOptions): number {
  const { job, place, pageSize, shortShare, seed, maxResults } = options;
  const full = Math.min(pageSize, Math.min(job.found.indexes.length, maxResults) - place.offset);
  if (options.emptyFault) return 0;
  if (options.shortFault) return Math.min(full, options.shortFault.records);
  const random = new Random().reset(seed ^ 0x5407, place.offset);
  if (full < 2 || !random.chance(shortShare)) return full;
  if (!place.wasEmpty && random.chance(0.25)) return 0;
  return random.between(1, full - 1);
}
