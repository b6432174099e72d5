import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { calendarOf, dayStates, type IntervalState } from './calendar.ts';
import type { FollowPlan, WindowFacts } from './follow-plan.ts';
import { planWindows } from './windows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);
const PLAN: FollowPlan = { fromMs: START_MS, sizeMs: 6 * HOUR_MS, rereads: [{ ageMs: 2 * DAY_MS, everyMs: DAY_MS }] };
const iso = (ms: number) => new Date(ms).toISOString();
const lane = (startMs: number) => Math.floor(startMs / DAY_MS) % 12;
const IDS = planWindows({ from: new Date(START_MS), to: new Date(START_MS + 30 * DAY_MS), sizeMs: PLAN.sizeMs });

/** What the ledger holds of the first windows, in order; undefined: nothing. */
function known(...lines: readonly (WindowFacts | undefined)[]): Map<string, WindowFacts> {
  const held = new Map<string, WindowFacts>();
  for (const [index, line] of lines.entries()) if (line) held.set(IDS[index]!.id, line);
  return held;
}
const read = (untilMs: number): WindowFacts => ({ state: 'done', lastReading: { until: iso(untilMs) } });
const said = (held: Map<string, WindowFacts>, nowMs: number) =>
  calendarOf(PLAN, held, nowMs, lane).intervals.map(({ state, windows }) => `${windows} ${state}`);

test('published, provisional, pending and failed windows in a row are intervals; a failed one stands alone', () => {
  const late = START_MS + 5 * DAY_MS;
  const soon = START_MS + 6 * HOUR_MS;
  const failed: WindowFacts = { state: 'failed', failures: { count: 1, nextTry: iso(late) } };
  const held = known(read(late), read(late), read(soon), failed, failed, { state: 'submitted' });
  const nowMs = START_MS + 2 * DAY_MS;
  assert.deepEqual(said(held, nowMs), ['2 published', '1 provisional', '1 failed', '1 failed', '3 pending']);
  const { counts, intervals, completeUntilMs } = calendarOf(PLAN, held, nowMs, lane);
  assert.deepEqual(counts, { published: 2, provisional: 1, pending: 3, failed: 2, missing: 0 });
  assert.equal(intervals[2 - 1]!.untilMs, START_MS + 18 * HOUR_MS + 2 * DAY_MS);
  assert.equal(completeUntilMs, START_MS + 18 * HOUR_MS);
});

test('a window of which nothing is known is missing where a later one of its lane is known, and pending elsewhere', () => {
  const late = START_MS + 20 * DAY_MS;
  assert.deepEqual(said(known(read(late), undefined, read(late)), START_MS + DAY_MS), [
    '1 published',
    '1 missing',
    '1 published',
    '1 pending',
  ]);
  // Another lane may be further than this one.
  const held = known(...new Array<undefined>(4), read(late));
  assert.deepEqual(said(held, START_MS + 30 * HOUR_MS), ['4 pending', '1 published']);
});

test('while a window is read again it stays published, and once that fails it is failed and complete all the same', () => {
  const lastReading = { until: iso(START_MS + DAY_MS) };
  const again: WindowFacts = { state: 'publishing', lastReading };
  assert.deepEqual(said(known(again), START_MS + 6 * HOUR_MS), ['1 provisional']);
  const failed: WindowFacts = { state: 'failed', lastReading, failures: { count: 1, nextTry: iso(0) } };
  const calendar = calendarOf(PLAN, known(failed), START_MS + 6 * HOUR_MS, lane);
  assert.deepEqual([calendar.counts.failed, calendar.completeUntilMs], [1, START_MS + 6 * HOUR_MS]);
});

test('law: intervals lie side by side from the start on, each window in one; complete up to the first that was never read', () => {
  const line = fc.option(
    fc.oneof(
      fc.constant<WindowFacts>({ state: 'split' }),
      fc.constant<WindowFacts>({ state: 'failed', failures: { count: 1, nextTry: iso(START_MS) } }),
      fc.constant<WindowFacts>({ state: 'planned' }),
      fc.integer({ min: 0, max: 10 * DAY_MS }).map((ms) => read(START_MS + ms)),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.integer({ min: 0, max: 12 * DAY_MS }), (lines, agoMs) => {
      const { intervals, counts, completeUntilMs } = calendarOf(PLAN, known(...lines), START_MS + agoMs, lane);
      let atMs = START_MS;
      let completeMs: number | undefined;
      const seen: Partial<Record<IntervalState, number>> = {};
      for (const { fromMs, toMs, state, windows } of intervals) {
        assert.equal(fromMs, atMs);
        atMs = toMs;
        seen[state] = (seen[state] ?? 0) + windows;
        if (state !== 'published' && state !== 'provisional') completeMs ??= fromMs;
      }
      assert.equal(atMs, START_MS + Math.floor(agoMs / PLAN.sizeMs) * PLAN.sizeMs);
      assert.equal(completeUntilMs, completeMs ?? atMs);
      for (const state of Object.keys(counts) as IntervalState[]) assert.equal(counts[state], seen[state] ?? 0);
    }),
  );
});

test('a day is as good as its worst window', () => {
  const late = START_MS + 20 * DAY_MS;
  const good = read(late);
  const failed: WindowFacts = { state: 'failed', failures: { count: 1, nextTry: iso(late) } };
  const held = known(good, good, good, good, good, failed, good, good, good);
  assert.deepEqual(dayStates(calendarOf(PLAN, held, START_MS + 60 * HOUR_MS, lane)), [
    'published',
    'failed',
    'pending',
  ]);
});
