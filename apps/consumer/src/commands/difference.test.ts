import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference, narrowed } from './difference.ts';

const numbers = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);

test('what is the same far from a change is left out, and said to be', () => {
  const actual = numbers(1000, 'n');
  const expected = actual.with(500, 'other');
  const [{ lines } = { lines: [] }] = difference('body', expected, actual);
  const around = (from: number) => numbers(1000, '  n').slice(from, from + 3);
  const shown = ['… 497 lines that are the same', ...around(497), '+ n500', '- other', ...around(501)];
  assert.deepEqual(lines, [...shown, '… 496 lines that are the same']);
});

test('however much differs, neither memory nor what is shown grows with it', () => {
  const [{ lines } = { lines: [] }] = difference('body', numbers(200_000, 'e'), numbers(200_000, 'a'));
  assert.equal(lines.length, 101);
  assert.match(lines.at(-1)!, /^… \d+ lines more$/);
});

test('nothing differs where and only where both are the same, and each side can be read from what is shown', () => {
  const side = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
  fc.assert(
    fc.property(side, side, (expected, actual) => {
      const found = difference('x', expected, actual);
      assert.equal(found.length === 0, expected.join() === actual.join());
      // So short that nothing is left out but a stretch of the same in its midst.
      const lines = found[0]?.lines ?? [];
      if (found.length === 0 || lines.some((line) => line.startsWith('…'))) return;
      const read = (sign: string) => lines.flatMap((line) => ((' ' + sign).includes(line[0]!) ? [line.slice(2)] : []));
      assert.deepEqual([read('-'), read('+')], [expected, actual]);
    }),
  );
});

test('long lines are cut to a terminal, around what differs', () => {
  const long = 'x'.repeat(300);
  const [found, wanted, same] = narrowed([`+ ${long}1${long}`, `- ${long}2`, `  ${long}`]);
  assert.match(found!, /^\+ …x{20}1x+…$/);
  assert.match(wanted!, /^- …x+2$/);
  assert.match(same!, /^ {2}x+…$/);
  for (const line of [found, wanted, same]) assert.ok(line!.length + 9 <= 80, line);
  assert.deepEqual(narrowed(['  a', '+ b', '- c', '- d']), ['  a', '+ b', '- c', '- d']);
});
