import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from './framing.ts';
import { bodyOf, framingOf, parseRecord, RecordReader } from './record-value.ts';

const { signal } = new AbortController();
const text = Buffer.from('{"n":1}');

test('a value becomes the record that it was made of, bytes and all', async () => {
  const record = await new RecordReader(undefined).open(frame(9, text), signal);
  assert.ok(record.kind === 'record');
  assert.deepEqual(record.body, text);
  assert.deepEqual(parseRecord(record), { kind: 'json', parsed: { n: 1 } });
});

test('plainly a record is what has a frame, a schema that is known to be sound, and JSON in it', () => {
  const reader = new RecordReader({ check: () => undefined, isSound: (id) => id === 9 });
  assert.equal(reader.isPlain(frame(9, text)), true);
  assert.equal(new RecordReader(undefined).isPlain(frame(7, text)), true);
  for (const other of [frame(7, text), text, frame(9, Buffer.from('{"n":')), frame(9, Buffer.from([0x22, 0xff, 0x22]))])
    assert.equal(reader.isPlain(other), false, other.toString('latin1'));
});

test('what nobody can read says why: no frame, a schema id with a problem, no JSON', async () => {
  const problem = { cause: 'unknown-schema-id', reason: 'no' };
  const reader = new RecordReader({ check: async (id) => (id === 7 ? problem : undefined), isSound: () => false });
  const causeOf = async (value: Buffer | null) => {
    const opened = await reader.open(value, signal);
    const read = opened.kind === 'record' ? parseRecord(opened) : opened;
    return read.kind === 'unreadable' ? read.cause : undefined;
  };
  assert.equal(await causeOf(null), 'frame-missing');
  assert.equal(await causeOf(text), 'frame-wrong-magic');
  assert.equal(await causeOf(frame(7, text)), 'unknown-schema-id');
  assert.equal(await causeOf(frame(9, Buffer.from('{'))), 'json-invalid');
});

test('a record whose value would fill the memory, or whose reading the time, of all others is read by nobody', () => {
  const read = (json: string) => {
    const found = parseRecord({ kind: 'record', body: Buffer.from(json), contentType: 'application/json' });
    return found.kind === 'unreadable' ? found.cause : found.kind;
  };
  const many = (piece: string, count: number) => Array.from({ length: count }, () => piece).join(',');
  assert.equal(read(`[${many('{}', 4_000_000)}]`), 'record-too-costly');
  // An escaped key has the text read once more, a member in microseconds.
  const keys = Array.from({ length: 350_000 }, (_, n) => `"${n}":1`).join(',');
  assert.equal(read(`{"\\u0061":1,${keys}}`), 'record-too-costly');
  assert.equal(read(`{"\\u0061":1,${many('"a":1', 350_000)}}`), 'record-too-costly');
  assert.equal(read(`{${keys}}`), 'json');
});

test('a dead letter is shown without its frame where it has one, and never cut where it has none', () => {
  assert.deepEqual([framingOf(frame(9, text)), framingOf(text), framingOf(null)], ['confluent', 'none', 'none']);
  assert.deepEqual(bodyOf(frame(9, text), 'confluent'), text);
  assert.deepEqual(bodyOf(text, 'none'), text);
  assert.deepEqual(bodyOf(text, 'confluent'), text);
});
