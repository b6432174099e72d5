import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseAction } from '../actions/letter-actions.ts';
import { noMarks } from '../letters/stored-dead-letter.ts';
import type { LetterPlace } from './letter-place.ts';
import { readObjectMarks, readPending } from './object-marks.ts';

const never = new AbortController().signal;

function place(objects: Readonly<Record<string, Buffer | string>>): LetterPlace {
  const store = {
    list: async ({ key: under }: { key: string }) =>
      Object.keys(objects).flatMap((key) => (key.startsWith(under) ? [{ key }] : [])),
    get: async ({ key }: { key: string }) => Buffer.from(objects[key]!),
  } as unknown as LetterPlace['store'];
  return { bucket: 'b', prefix: 'dl/', store };
}

const mark = JSON.stringify({ v: 1, id: 'd/0/1/crm/1', at: '2026-01-31T00:00:00.000Z' });
const packed = gzipSync(`${mark}\n`);

test('marks that nobody understands end the command, and are named: what they say was replayed would be so twice', async () => {
  for (const body of [
    packed.subarray(0, packed.length - 12),
    Buffer.from('not gzip'),
    gzipSync(`${mark}\n{"v":1`),
    gzipSync('{"v":2,"identity":"x"}\n'),
  ]) {
    const key = 'dl/_marks/replayed/x.ndjson.gz';
    const marks = readObjectMarks(place({ 'dl/_marks/replayed/a.ndjson.gz': packed, [key]: body }), noMarks(), never);
    await assert.rejects(marks, {
      code: 'letter-mark-unreadable',
      message: /s3:\/\/b\/dl\/_marks\/replayed\/x\.ndjson/,
    });
  }
  const marks = noMarks();
  await readObjectMarks(place({ 'dl/_marks/replayed/a.ndjson.gz': packed }), marks, never);
  assert.deepEqual([...marks.replayed.keys()], ['d/0/1/crm/1']);
});

test('so does what says that a replay was under way', async () => {
  const whole = { v: 1, ids: ['x'], at: '2026-01-31T00:00:00.000Z', topic: 'd.retry-1', from: { 0: '7' } };
  for (const body of ['{', '[]', JSON.stringify({ ...whole, v: 2 }), JSON.stringify({ ...whole, from: { 0: 'x' } })]) {
    const read = readPending(place({ 'dl/_marks/pending/x.json': body }), never);
    await assert.rejects(read, { code: 'letter-mark-unreadable' }, body);
  }
  const [read] = await readPending(place({ 'dl/_marks/pending/x.json': JSON.stringify(whole) }), never);
  assert.deepEqual(read?.pending, whole);
});

test('what is no record of an action is not shown as one', () => {
  const action = { v: 1, id: 'x', action: 'purge', state: 'begun', by: 'ann@host', at: '2026-01-31', filter: {} };
  assert.deepEqual(parseAction(JSON.stringify(action)), action);
  for (const text of [
    '',
    '{"v":1,"id":"x"}',
    JSON.stringify({ ...action, v: 2 }),
    JSON.stringify({ ...action, filter: 5 }),
  ])
    assert.equal(parseAction(text), undefined, text);
});
