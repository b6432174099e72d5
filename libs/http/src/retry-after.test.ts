import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterOf } from './retry-after.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

const CASES: readonly (readonly [value: string | string[] | undefined, ms: number | undefined])[] = [
  ['0', 0],
  ['7', 7000],
  [' 7 ', 7000],
  ['1.5', 1500],
  ['0.0001', 1],
  ['86400', DAY_MS],
  // Cut to a day.
  ['86401', DAY_MS],
  ['9'.repeat(400), DAY_MS],
  ['Thu, 01 Jan 2099 00:00:00 GMT', DAY_MS],
  // The three forms of an HTTP date, and a moment that has passed.
  ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
  ['Thursday, 01-Jan-26 00:00:09 GMT', 9000],
  ['Thu Jan  1 00:00:09 2026', 9000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  // Neither.
  [undefined, undefined],
  ['', undefined],
  ['-1', undefined],
  ['+1', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['1.2.3', undefined],
  ['.5', undefined],
  ['1,5', undefined],
  ['5s', undefined],
  ['Infinity', undefined],
  ['NaN', undefined],
  ['soon', undefined],
  ['2026', 2_026_000],
  ['2026-01-01T00:00:09Z', undefined],
  ['Thu, 99 Jan 2026 00:00:09 GMT', undefined],
  ['Thu', undefined],
  [['5', '7'], undefined],
];

for (const [value, ms] of CASES) {
  test(`Retry-After ${JSON.stringify(value ?? null).slice(0, 40)} is ${ms === undefined ? 'nothing' : `${ms} ms`}`, () => {
    assert.equal(retryAfterOf({ 'retry-after': value }, NOW_MS), ms);
  });
}

for (const jumpMs of [-DAY_MS, DAY_MS]) {
  test(`a clock that is ${jumpMs} ms off: a date is held against the answer's own, so the wait is neither a day nor over at once`, () => {
    const headers = { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' };
    assert.equal(retryAfterOf(headers, NOW_MS + jumpMs), 9000);
    assert.equal(retryAfterOf({ ...headers, age: '4' }, NOW_MS + jumpMs), 5000);
    assert.equal(retryAfterOf({ ...headers, date: 'today' }, NOW_MS), 9000);
  });
}
