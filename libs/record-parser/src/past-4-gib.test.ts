import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanRecords, type ScannedRecord } from './index.ts';

const FOUR_GIB = 2 ** 32;
const PIECE = Buffer.alloc(4 * 1024 * 1024, 'x');

async function* document(...ends: readonly string[]): AsyncGenerator<Buffer> {
  yield Buffer.from('[{"n":1},{"long":"');
  for (let at = 0; at < FOUR_GIB; at += PIECE.length) yield await Promise.resolve(PIECE);
  for (const end of ends) yield Buffer.from(end);
}

test('what lies behind 4 GiB of a document has its true offset: records, the fault that ends it, and a record longer than that', async () => {
  const records: ScannedRecord[] = [];
  const scanning = (async () => {
    const scanned = scanRecords(document('"},{"n":3}', ',{"n":4},,'), { maxRecordBytes: 1000, maxDepth: 8 });
    for await (const batch of scanned) records.push(...batch);
  })();
  const at = '[{"n":1},{"long":"'.length + FOUR_GIB + '"},'.length;
  await assert.rejects(scanning, { code: 'broken-json', details: { ordinal: 4, offset: at + 16 } });
  assert.deepEqual(
    records.map(({ ordinal, offset, length, bytes }) => ({ ordinal, offset, length, text: bytes && String(bytes) })),
    [
      { ordinal: 0, offset: 1, length: 7, text: '{"n":1}' },
      { ordinal: 1, offset: 9, length: FOUR_GIB + 11, text: undefined },
      { ordinal: 2, offset: at, length: 7, text: '{"n":3}' },
      { ordinal: 3, offset: at + 8, length: 7, text: '{"n":4}' },
    ],
  );
});
