import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateHeadersOf } from './rate-headers.ts';

const headers = (count?: string, allowed?: string, reset?: string) =>
  Object.fromEntries(
    Object.entries({ count, allowed, reset }).flatMap(([name, value]) =>
      value === undefined ? [] : [[`inin-ratelimit-${name}`, value]],
    ),
  );

test('whole numbers are read, with blanks around them too; an answer without any says nothing', () => {
  const read = { count: 7, allowed: 300, resetSeconds: 41 };
  assert.deepEqual(rateHeadersOf(headers('7', '300', '41')), read);
  assert.deepEqual(rateHeadersOf(headers(' 7', '300 ', '41')), read);
  assert.deepEqual(rateHeadersOf(headers('0', '1', '0')), { count: 0, allowed: 1, resetSeconds: 0 });
  assert.deepEqual(rateHeadersOf(headers('301', '300', '3600')), { count: 301, allowed: 300, resetSeconds: 3600 });
  assert.equal(rateHeadersOf({ 'retry-after': '5' }), 'absent');
});

for (const [what, ...values] of [
  ['a negative count', '-1', '300', '41'],
  ['no count beside the others', undefined, '300', '41'],
  ['an allowance of nothing', '0', '0', '41'],
  ['a reset in the past', '1', '300', '-3'],
  ['a reset that is a date in seconds', '1', '300', '1767225600'],
  ['a reset that is a date', '1', '300', 'Thu, 01 Jan 2026 00:00:40 GMT'],
  ['a fraction', '1.5', '300', '41'],
  ['a huge number', '1', '99999999999999999999', '41'],
  ['text', 'many', '300', '41'],
  ['nothing in one of them', '1', '', '41'],
] as const) {
  test(`${what} makes the headers unreadable`, () => {
    assert.equal(rateHeadersOf(headers(...values)), 'unreadable');
  });
}
