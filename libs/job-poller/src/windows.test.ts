import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JobError } from './errors.ts';
import { planWindows, windowId } from './windows.ts';

const HOUR_MS = 3_600_000;
const date = (text: string) => new Date(text);
const ids = (from: string, to: string, sizeMs: number) =>
  planWindows({ from: date(from), to: date(to), sizeMs }).map((window) => window.id);

test('cuts at whole hours and days of UTC, and clips the first and the last window', () => {
  assert.deepEqual(ids('2026-01-01T22:30:00Z', '2026-01-03T06:00:05Z', 24 * HOUR_MS), [
    '2026-01-01T22:30Z/2026-01-02T00:00Z',
    '2026-01-02T00:00Z/2026-01-03T00:00Z',
    '2026-01-03T00:00Z/2026-01-03T06:00:05Z',
  ]);
  assert.deepEqual(ids('2026-01-01T00:00:00.250Z', '2026-01-01T01:00:00Z', HOUR_MS), [
    '2026-01-01T00:00:00.250Z/2026-01-01T01:00Z',
  ]);
});

test('a day of clock change elsewhere has 24 windows of an hour: windows know only UTC', () => {
  assert.equal(ids('2026-03-29T00:00:00Z', '2026-03-30T00:00:00Z', HOUR_MS).length, 24);
});

const instantMs = fc.integer({ min: Date.UTC(1960, 0), max: Date.UTC(2100, 0) });
const intervals = fc
  .tuple(instantMs, fc.integer({ min: 1, max: 500 * HOUR_MS }), fc.integer({ min: HOUR_MS / 4, max: 48 * HOUR_MS }))
  .map(([fromMs, lengthMs, sizeMs]) => ({ from: new Date(fromMs), to: new Date(fromMs + lengthMs), sizeMs }));

// fast-check prints the seed and the shrunk example of a failure.
test('law: windows cover the interval exactly, in order, without gap or overlap, none longer than asked', () => {
  fc.assert(
    fc.property(intervals, (interval) => {
      const windows = planWindows(interval);
      assert.equal(windows[0]?.from.getTime(), interval.from.getTime());
      assert.equal(windows.at(-1)?.to.getTime(), interval.to.getTime());
      for (const [index, window] of windows.entries()) {
        const lengthMs = window.to.getTime() - window.from.getTime();
        assert.ok(lengthMs > 0 && lengthMs <= interval.sizeMs);
        const next = windows[index + 1];
        if (next) {
          assert.equal(next.from.getTime(), window.to.getTime());
          assert.equal(Math.abs(window.to.getTime() % interval.sizeMs), 0);
        }
      }
      assert.equal(new Set(windows.map((window) => window.id)).size, windows.length);
    }),
  );
});

test('law: an id reads back as its two instants', () => {
  fc.assert(
    fc.property(instantMs, instantMs, (fromMs, toMs) => {
      const [from = '', to = ''] = windowId(new Date(fromMs), new Date(toMs)).split('/');
      assert.deepEqual([Date.parse(from), Date.parse(to)], [fromMs, toMs]);
    }),
  );
});

test('an interval that cannot be cut is a usage error that says why', () => {
  const cut = (from: string, to: string, sizeMs: number) => () =>
    planWindows({ from: date(from), to: date(to), sizeMs });
  const usage = (pattern: RegExp) => (error: unknown) =>
    error instanceof JobError &&
    error.code === 'bad-interval' &&
    error.scope === 'usage' &&
    pattern.test(error.message);
  assert.throws(cut('2026-01-02', '2026-01-01', HOUR_MS), usage(/start must lie before the end/));
  assert.throws(cut('2026-01-01', '2026-01-01', HOUR_MS), usage(/empty/));
  assert.throws(cut('2026-01-01', 'yesterday', HOUR_MS), usage(/no date/));
  assert.throws(cut('2026-01-01', '2026-01-02', 0), usage(/window size/));
  assert.throws(cut('2026-01-01', '2026-01-02', 1.5), usage(/window size/));
  assert.throws(cut('2026-01-01', '2026-12-02', 1), usage(/larger window/));
});
