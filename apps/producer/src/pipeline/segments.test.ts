import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { SEGMENT_BYTES } from '../stage/segment.ts';
import { PLACE_NUMBERS, type Segment } from '../stage/thread-messages.ts';
import { inSegments } from './segments.ts';

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: 5_000_000, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

async function segmentsOf(records: readonly ScannedRecord[], from = 0): Promise<Segment[]> {
  const pieces = Array.from({ length: Math.ceil(records.length / 7) }, (_, at) => records.slice(at * 7, at * 7 + 7));
  const segments: Segment[] = [];
  for await (const segment of inSegments(pieces, from)) segments.push(segment);
  return segments;
}

/** The records again, and whether each is staged. */
function recordsIn(segments: readonly Segment[]) {
  return segments.flatMap(({ buffer, places, firstOrdinal, isStaged }) =>
    Array.from({ length: places.length / PLACE_NUMBERS }, (_, index) => {
      const [start, length, offset, members] = [...places.subarray(index * PLACE_NUMBERS)] as [
        number,
        number,
        number,
        number,
      ];
      const bytes = start < 0 ? undefined : Buffer.from(Buffer.from(buffer, start, length));
      return { record: { ordinal: firstOrdinal + index, offset, length, bytes, members }, isStaged };
    }),
  );
}

const padded = (bytes: number) => conversations('long', 1)[0]!.replace('{', `{"note":"${'x'.repeat(bytes)}",`);

test('every record is in one segment, as it was, in order; a segment is as large as its memory, or one record', async () => {
  const long = Array.from({ length: 8 }, () => padded(900_000));
  const records = scan([
    ...conversations('a', 10),
    ...long,
    padded(6_000_000),
    padded(4_000_000),
    ...conversations('b', 3),
  ]);
  const segments = await segmentsOf(records);
  assert.deepEqual(
    recordsIn(segments).map(({ record }) => record),
    records,
  );
  for (const { buffer, places } of segments) {
    assert(buffer.byteLength === SEGMENT_BYTES || places.length >= PLACE_NUMBERS);
  }
  assert(segments.length >= 4 && segments.length <= 7, `${segments.length} segments`);
});

test('tiny records are bounded by their number', async () => {
  const segments = await segmentsOf(scan(conversations('tiny', 9000)));
  assert.deepEqual(
    segments.map(({ places }) => places.length / PLACE_NUMBERS),
    [4000, 4000, 1000],
  );
});

test('what is published already and what is not are never in one segment', async () => {
  const records = scan(conversations('a', 20));
  for (const from of [0, 1, 13, 20, 99]) {
    const found = recordsIn(await segmentsOf(records, from));
    assert.deepEqual(
      found.map(({ record, isStaged }) => [record.ordinal, isStaged]),
      records.map(({ ordinal }) => [ordinal, ordinal >= from]),
    );
  }
});
