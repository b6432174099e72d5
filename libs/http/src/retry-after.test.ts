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
  // On each day of the week.
  ['Fri, 02 Jan 2026 00:00:00 GMT', DAY_MS],
  ['Wed, 31 Dec 2025 00:00:09 GMT', 0],
  ['Tuesday, 30-Dec-25 00:00:09 GMT', 0],
  ['Mon, 29 Dec 2025 00:00:09 GMT', 0],
  ['Sat Dec 27 00:00:09 2025', 0],
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
  ['after Thu, 01 Jan 2026 00:00:09 GMT', undefined],
  [['5', '7'], undefined],
];

for (const [value, ms] of CASES) {
  test(`Retry-After ${JSON.stringify(value ?? null).slice(0, 40)} is ${ms === undefined ? 'nothing' : `${ms} ms`}`, () => {
    assert.equal(retryAfterOf({ 'retry-after': value }, NOW_MS), ms);
  });
}

test('a date without a zone is in UTC, wherever this machine is', (t) => {
  const { TZ } = process.env;
  t.after(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });
  for (const zone of ['Asia/Tokyo', 'America/New_York']) {
    process.env.TZ = zone;
    assert.notEqual(new Date(NOW_MS).getHours(), 0, zone);
    assert.equal(retryAfterOf({ 'retry-after': 'Thu Jan  1 00:00:09 2026' }, NOW_MS), 9000, zone);
  }
});

test('an age that is none leaves our own clock to go by', () => {
  const headers = { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT', date: 'Thu, 01 Jan 2026 00:00:05 GMT' };
  assert.equal(retryAfterOf(headers, NOW_MS), 4000);
  for (const age of ['4s', 'x4', '-4', '1234567890'])
    assert.equal(retryAfterOf({ ...headers, age }, NOW_MS), 9000, age);
});

for (const jumpMs of [-DAY_MS, DAY_MS]) {
  test(`a clock that is ${jumpMs} ms off: a date is held against the answer's own, so the wait is neither a day nor over at once`, () => {
    const headers = { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' };
    assert.equal(retryAfterOf(headers, NOW_MS + jumpMs), 9000);
    assert.equal(retryAfterOf({ ...headers, age: '4' }, NOW_MS + jumpMs), 5000);
    assert.equal(retryAfterOf({ ...headers, date: 'today' }, NOW_MS), 9000);
  });
}
