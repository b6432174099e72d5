import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitRecords } from './archive.ts';

async function split(text: string, chunkBytes: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return (await Array.fromAsync(splitRecords(chunks()))).map(String);
}

test('records keep their bytes, wherever a piece ends', async () => {
  const records = ['{"a":[1,{"b":"}]"}]}', '{ "quote": "\\"{", "end": "\\\\" }', '{}', '{\n  "é": "☃"\n}'];
  const text = `[ ${records.join(' ,\n')} ]`;
  for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes += 1) {
    assert.deepEqual(await split(text, chunkBytes), records, `pieces of ${chunkBytes} bytes`);
  }
});

test('an array that is cut off is an error', async () => {
  await assert.rejects(split('[{"a":1},{"a":', 5), /in the middle of a record/);
});
