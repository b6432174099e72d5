import type { Conversations, Lifetime } from './conversations.ts';

const DAY_MS = 86_400_000;

export type Matching =
  /** Lifetime overlaps the interval: the job's default. */
  | 'overlap'
  /** Started on a UTC day that the interval touches: `startOfDayIntervalMatching`. */
  | 'start-day'
  /** Started inside the interval: the bulk archive's meaning. */
  | 'start';

export interface Query {
  readonly fromMs: number;
  readonly toMs: number;
  readonly matching: Matching;
  /** Conversations that start at or after this moment are not in the data lake yet: left out without a word. */
  readonly availableMs: number;
  readonly limit?: number | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly orderBy?: 'start' | 'end' | undefined;
  readonly accepts?: ((lifetime: Lifetime, index: number) => boolean) | undefined;
}

/**
 * Numbers of the conversations that a query finds, in its order: 4 bytes for each, whatever the records' size.
 * Conversations are numbered in order of start, so only those that start before the interval's end are looked at.
 */
export function select(conversations: Conversations, query: Query): Uint32Array {
  const { fromMs, toMs } = effectiveInterval(query);
  const end = firstStartingAt(conversations, Math.min(toMs, query.availableMs));
  const reach =
    query.matching === 'overlap'
      ? conversations.reach(fromMs)
      : { earlier: [], from: firstStartingAt(conversations, fromMs) };
  const begin = Math.min(reach.from, end);
  const found = new Uint32Array(reach.earlier.length + end - begin);
  let count = 0;
  const look = (index: number) => {
    if (!conversations.has(index)) return;
    if (query.matching === 'overlap' || query.accepts) {
      const lifetime = conversations.lifetime(index);
      if (lifetime.endMs !== undefined && lifetime.endMs <= fromMs) return;
      if (query.accepts && !query.accepts(lifetime, index)) return;
    }
    found[count++] = index;
  };
  for (const index of reach.earlier) if (index < end) look(index);
  for (let index = begin; index < end; index++) look(index);
  const ordered = inOrder(conversations, found.subarray(0, count), query);
  return ordered.slice(0, query.limit ?? count);
}

function effectiveInterval(query: Query): { fromMs: number; toMs: number } {
  if (query.matching !== 'start-day') return query;
  return { fromMs: Math.floor(query.fromMs / DAY_MS) * DAY_MS, toMs: Math.ceil(query.toMs / DAY_MS) * DAY_MS };
}

/** Number of conversations that start before `ms`. */
function firstStartingAt(conversations: Conversations, ms: number): number {
  let low = 0;
  let high = conversations.records;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (conversations.startMs(middle) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inOrder(conversations: Conversations, found: Uint32Array, query: Query): Uint32Array {
  if (query.orderBy === 'end') {
    const ends = new Map(Array.from(found, (index) => [index, conversations.lifetime(index).endMs ?? Infinity]));
    found.sort((a, b) => compare(ends.get(a) ?? 0, ends.get(b) ?? 0) || a - b);
  }
  return query.order === 'desc' ? found.reverse() : found;
}

/** Subtraction would turn two open ends (Infinity) into NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
