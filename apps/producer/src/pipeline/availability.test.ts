import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Availability, LedgerEntry } from '@genesys-kafka/ledger';
import { INLINE_STAGER, MemoryLane, newSource, sourceOptions } from '../../fixtures/memory-lane.ts';
import { conversations } from '../../fixtures/records.ts';
import { publishPages } from './publish-pages.ts';
import { SourcePublisher } from './source-publisher.ts';

const READING = { stager: INLINE_STAGER, scan: { maxRecordBytes: 100_000, maxDepth: 20 } };
const never = new AbortController().signal;

/** Reads pages with these dates, from where `entry` stands; `failAt` breaks the fetch of that page. */
async function read(dates: readonly unknown[], entry: LedgerEntry = newSource(), failAt = Number.POSITIVE_INFINITY) {
  const lane = new MemoryLane();
  const source = new SourcePublisher(lane.publisher, entry, sourceOptions());
  const fetchPage = async (cursor = '0'): Promise<Buffer> => {
    const at = Number(cursor);
    if (at === failAt) throw new Error('the connection broke');
    const rest = JSON.stringify({
      dataAvailabilityDate: dates[at],
      ...(at + 1 < dates.length && { cursor: String(at + 1) }),
    });
    return Buffer.from(`{"conversations":[${conversations(`p${at}-`, 2).join(',')}],${rest.slice(1)}`);
  };
  const availability: Availability | undefined = await publishPages(fetchPage, source, READING, never).catch(
    (error: unknown) => {
      if (failAt > dates.length) throw error;
      return undefined;
    },
  );
  await lane.publisher.flush();
  return { availability, entry: lane.entry ?? entry };
}

const EARLY = '2026-01-01T12:00:00+0000';
const LATE = '2026-03-01T00:00:00Z';
const until = '2026-01-01T12:00:00.000Z';

for (const date of [17, 1_767_225_600_000, 'soon', '', [], {}, true, '2026-02-30T00:00:00Z', '2026-01-01']) {
  test(`a dataAvailabilityDate of ${JSON.stringify(date)} is one that cannot be read, not one that is missing`, async () => {
    assert.deepEqual((await read([date])).availability, { isUnreadable: true });
    assert.deepEqual((await read([LATE, date])).availability, {
      until: '2026-03-01T00:00:00.000Z',
      isUnreadable: true,
    });
  });
}

test('one unreadable date hides no readable one, wherever it stands', async () => {
  for (const dates of [
    [null, 'soon', EARLY, LATE],
    [EARLY, 'soon', LATE],
    [LATE, EARLY, 'soon'],
  ]) {
    assert.deepEqual((await read(dates)).availability, { until, isUnreadable: true }, JSON.stringify(dates));
  }
});

test('the earliest moment counts, not the smallest text; without a zone it is UTC', async () => {
  assert.deepEqual((await read(['2026-01-01T13:30:00+02:00', '2026-01-01T12:00:00Z'])).availability, {
    until: '2026-01-01T11:30:00.000Z',
  });
  assert.deepEqual((await read([LATE, '2026-01-01T12:00:00'])).availability, { until });
});

test('what the pages before a restart said of their data is not forgotten by it', async () => {
  for (const failAt of [1, 2]) {
    const dates = [EARLY, 'soon', LATE];
    const broken = await read(dates, newSource(), failAt);
    const { availability } = await read(dates, broken.entry);
    assert.deepEqual(availability, { until, isUnreadable: true });
  }
  const { availability } = await read([LATE, LATE, LATE], (await read([EARLY, LATE, LATE], newSource(), 2)).entry);
  assert.deepEqual(availability, { until });
});
