import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, prefixProblem } from './object-key.ts';

test('placeholders of a prefix are filled as often as they stand; keys of a partition sort as their offsets', () => {
  const key = (first: bigint) =>
    objectKey('y={yyyy}/m={MM}/d={dd}/{dd}-', '2026-11-07', { topic: 'g.c', partition: 1, first, tag: 'f00' });
  assert.equal(key(7n), 'y=2026/m=11/d=07/07-g.c-1-00000000000000000007-f00.ndjson.gz');
  assert.ok(key(9n) < key(10n) && key(10n) < key(9_223_372_036_854_775_807n));
});

test('a prefix that would be something else than it says is refused with what is wrong', () => {
  for (const good of ['a../.b/', '', 'a/b/', 'y={yyyy}/', '{dd}{MM}'])
    assert.equal(prefixProblem(good), undefined, good);
  for (const [bad, what] of [
    ['{year}/', /placeholder \{year\}/],
    ['{yyyy/', /brace/],
    ['/a', /slash/],
    ['a/../b/', /\.\./],
    ['./b/', /a part that is \. or/],
    ['a/./b/', /a part that is \. or/],
    ['a\n', /control/],
  ] as const)
    assert.match(prefixProblem(bad)!, what);
});
