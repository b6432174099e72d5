import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockSkewMs } from './clock-skew.ts';

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const DAY_MS = 86_400_000;

function skew(date: string | undefined, more: Readonly<Record<string, string>> = {}, tookMs = 200) {
  const headers = { ...(date === undefined ? {} : { date }), ...more };
  return clockSkewMs({ host: 'h', headers, sentMs: NOON_MS, receivedMs: NOON_MS + tookMs });
}

test('the time that the answer took and the second that its date is cut to are no skew', () => {
  assert.equal(skew('Thu, 01 Jan 2026 12:00:00 GMT'), 0);
  assert.equal(skew('Thu, 01 Jan 2026 11:59:59 GMT'), 0);
  assert.equal(skew('Thu, 01 Jan 2026 12:00:20 GMT', {}, 30_000), 0);
});

test('a clock ahead of ours is a positive skew, one behind it a negative one', () => {
  assert.equal(skew('Sun, 11 Jan 2026 12:00:00 GMT'), 10 * DAY_MS - 200);
  assert.equal(skew('Mon, 22 Dec 2025 12:00:00 GMT'), -10 * DAY_MS + 1000);
});

test('an answer out of a store is as old as its Age says', () => {
  assert.equal(skew('Thu, 01 Jan 2026 11:00:00 GMT', { age: '3600' }), 0);
});

test('without a date that can be read nothing is measured', () => {
  for (const date of [undefined, '', 'soon', '1767225600', '2026-01-01T12:00:00Z', 'Thu, 99 Foo 2026 12:00:00 GMT']) {
    assert.equal(skew(date), undefined, date);
  }
  assert.equal(skew('Thu, 01 Jan 2026 12:00:00 GMT', { age: 'old' }), undefined);
});
