import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContentsCounter, differences, type Contents } from './contents.ts';

const RECORDS = Array.from({ length: 300 }, (_, n) => ({ key: `key-${n}`, text: `{ "n": ${n}, "share": 1.500 }` }));

function contentsOf(records: readonly { readonly key: string; readonly text: string }[]): Contents {
  const counter = new ContentsCounter();
  for (const { key, text } of records) counter.add(key, Buffer.from(text));
  return counter.contents();
}

const expected = contentsOf(RECORDS);
const problems = (records: typeof RECORDS, rewrites = false) =>
  differences(contentsOf(records), expected, rewrites).map((line) => line.split(':')[0]);

test('the same records in another order are the same contents', () => {
  assert.deepEqual(problems(RECORDS.toReversed()), []);
  assert.equal(expected.records, 300);
});

test('a record lost, there twice, changed, or under another’s key is seen', () => {
  const [first, second, ...rest] = RECORDS;
  assert.deepEqual(problems(RECORDS.slice(0, -1)), ['records', 'keys', 'bytes', 'digest']);
  assert.deepEqual(problems([...RECORDS, first!]), ['records', 'bytes', 'digest']);
  assert.deepEqual(problems([first!, first!, ...rest]), ['keys', 'digest']);
  assert.deepEqual(problems([{ ...first!, text: first!.text.replace('0', '7') }, second!, ...rest]), ['digest']);
  const swapped = [{ ...first!, key: second!.key }, { ...second!, key: first!.key }, ...rest];
  assert.deepEqual(problems(swapped), ['digest']);
});

test('records written anew may differ in spelling, not in what they say', () => {
  const rewritten = RECORDS.map(({ key, text }) => ({ key, text: text.replace('1.500', '15e-1') }));
  assert.deepEqual(problems(rewritten, true), []);
  assert.deepEqual(problems(rewritten), ['digest']);
  const halved = RECORDS.map(({ key }) => ({ key, text: '{ "cut": "\\ud83d" }' }));
  const replaced = halved.map(({ key }) => ({ key, text: '{ "cut": "?" }' }));
  assert.equal(contentsOf(halved).sampleDigest, contentsOf(replaced).sampleDigest);
  const wrong = RECORDS.map(({ key, text }) => ({ key, text: text.replace('1.500', '1.501') }));
  assert.deepEqual(problems(wrong, true), ['sampleDigest']);
  const cut = RECORDS.map(({ key, text }) => ({ key, text: text.replaceAll(' ', '') }));
  assert.deepEqual(problems(cut, true), ['bytes']);
});
