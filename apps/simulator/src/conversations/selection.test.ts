import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, FROM_MS, population } from '../../fixtures/population.ts';
import { select } from './selection.ts';
import type { Matching } from './selection.ts';

// Three days, so that start days and intervals differ.
const conversations = population({ records: 600, toMs: FROM_MS + 3 * DAY_MS });
const all = Array.from({ length: 600 }, (_, index) => ({ index, ...conversations.lifetime(index) }));
const moment = fc.integer({ min: FROM_MS - DAY_MS, max: FROM_MS + 8 * DAY_MS });
const startDay = (ms: number) => Math.floor(ms / DAY_MS);

function expected(matching: Matching, fromMs: number, toMs: number, availableMs: number): number[] {
  return all
    .filter(({ startMs, endMs }) => {
      if (startMs >= availableMs) return false;
      if (matching === 'start') return startMs >= fromMs && startMs < toMs;
      if (matching === 'overlap') return startMs < toMs && (endMs === undefined || endMs > fromMs);
      return startDay(startMs) >= startDay(fromMs) && startDay(startMs) <= startDay(toMs - 1);
    })
    .map(({ index }) => index);
}

test('finds what a look at every conversation finds, for each meaning of the interval', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Matching>('overlap', 'start-day', 'start'),
      moment,
      fc.integer({ min: 1, max: 3 * DAY_MS }),
      moment,
      (matching, fromMs, lengthMs, availableMs) => {
        const toMs = fromMs + lengthMs;
        const found = select(conversations, { fromMs, toMs, matching, availableMs });
        assert.deepEqual([...found], expected(matching, fromMs, toMs, availableMs));
      },
    ),
  );
});

test('order, limit and filter apply to what was found', () => {
  const query = { fromMs: FROM_MS, toMs: FROM_MS + DAY_MS, matching: 'start', availableMs: Infinity } as const;
  const ascending = [...select(conversations, query)];
  assert.deepEqual([...select(conversations, { ...query, order: 'desc' })], [...ascending].reverse());
  assert.deepEqual([...select(conversations, { ...query, limit: 5 })], ascending.slice(0, 5));
  const byEnd = [...select(conversations, { ...query, orderBy: 'end' })].map(
    (index) => conversations.lifetime(index).endMs ?? Infinity,
  );
  assert.deepEqual(
    byEnd,
    [...byEnd].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  const open = select(conversations, { ...query, accepts: (plan) => plan.endMs === undefined });
  assert.deepEqual(
    [...open],
    ascending.filter((index) => conversations.lifetime(index).endMs === undefined),
  );
});
