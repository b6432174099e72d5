import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '@genesys-kafka/ledger';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { MemoryLane, newSource, sourceOptions, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { SourcePublisher } from './source-publisher.ts';

const LIMIT = { maxShare: 0.05, minRecords: 100 };

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: 100_000, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

/** In steps of so many records, or in one. */
async function publish(
  source: SourcePublisher,
  records: readonly ScannedRecord[],
  size = records.length,
): Promise<void> {
  const groups = Array.from({ length: Math.ceil(records.length / size) }, (_, index) => {
    return records.slice(index * size, (index + 1) * size);
  });
  for (const step of await staged(groups, source.skipped)) await source.publish(step);
}

function open(lane: MemoryLane, entry: LedgerEntry, limit = LIMIT): SourcePublisher {
  return new SourcePublisher(lane.publisher, entry, sourceOptions({ invalidLimit: limit }));
}

/** Publishes the first records and stops there; resolves with the committed entry. */
async function begun(records: readonly ScannedRecord[]): Promise<LedgerEntry> {
  const lane = new MemoryLane();
  await publish(open(lane, newSource()), records);
  await lane.publisher.flush();
  return lane.entry!;
}

const codeIs = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('records, counts, position and state are committed together, step by step', async () => {
  const lane = new MemoryLane();
  const source = open(lane, newSource());
  const records = scan([...conversations('a', 3), '7']);
  await publish(source, records.slice(0, 2));
  await lane.publisher.flush();
  assert.deepEqual([lane.ordinals.data, lane.entry?.position.records, lane.entry?.state], [[0, 1], 2, 'publishing']);
  await publish(source, records.slice(2));
  const last = await source.finish('done');
  assert.deepEqual(lane.entry, last);
  assert.deepEqual(lane.entry.counts, { read: 4, published: 3, invalid: 1, unchanged: 0 });
  assert.equal(
    last.bytes,
    records.reduce((sum, record) => sum + record.length, 0),
  );
  assert.deepEqual(
    [lane.ordinals.data.toSorted(), lane.ordinals.dead, last.position.records, last.state],
    [[0, 1, 2], [3], 4, 'done'],
  );
});

/** On the lane are the records from `stop` on, each once, and the ledger ends as it does in one go. */
function assertRestOf(records: readonly ScannedRecord[], stop: number, lane: MemoryLane, whole: LedgerEntry): void {
  const expected = records.map(({ ordinal }) => ordinal).filter((ordinal) => ordinal >= stop);
  assert.deepEqual(
    [...lane.ordinals.data, ...lane.ordinals.dead].toSorted((a, b) => a - b),
    expected,
  );
  assert.deepEqual(
    [lane.entry?.position, lane.entry?.counts, lane.entry?.bytes],
    [whole.position, whole.counts, whole.bytes],
  );
}

test('law: wherever it stopped, the rest is published from there, and the end is the same as in one go', async () => {
  const records = scan([...conversations('a', 4), 'null', ...conversations('b', 2)]);
  const whole = await begun(records);
  for (let stop = 1; stop < records.length; stop += 1) {
    const entry = await begun(records.slice(0, stop));
    const lane = new MemoryLane();
    const source = open(lane, entry);
    // The source is read from its start in other pieces than before.
    await publish(source, records, 3);
    source.assertReached(records.length);
    await source.finish('done');
    assertRestOf(records, stop, lane, whole);
  }
});

test('law: a step that is left in its midst is gone on with from there, and on a slow line goes in parts', async () => {
  const records = scan([...conversations('a', 40), 'null', ...conversations('b', 20)]);
  const whole = await begun(records);
  for (const [stop, stepBytes] of [
    [0, 1000],
    [7, 1_000_000],
    [41, 1],
  ] as const) {
    const entry = stop === 0 ? newSource() : await begun(records.slice(0, stop));
    const lane = new MemoryLane({ stepBytes });
    const source = open(lane, entry);
    // One step, staged when nothing of it was published.
    for (const step of await staged([records])) await source.publish(step);
    source.assertReached(records.length);
    await source.finish('done');
    assertRestOf(records, stop, lane, whole);
    // A whole step has a batch for each of four partitions at most.
    assert.equal(lane.batches > 4, stepBytes < 1_000_000, `${lane.batches} batches`);
  }
});

test('a source that differs in what was published is refused, and nothing is spliced', async () => {
  const records = conversations('a', 6);
  const entry = await begun(scan(records.slice(0, 3)));
  const changed = [
    conversations('b', 6),
    records.with(1, records[2]!),
    [records[1]!, records[0]!, ...records.slice(2)],
    [records[0]!.replace('{', '{ '), ...records.slice(1)],
  ];
  for (const other of changed) {
    const lane = new MemoryLane();
    await assert.rejects(publish(open(lane, entry), scan(other)), codeIs('source-changed'));
    await lane.publisher.flush();
    assert.deepEqual(lane.ordinals.data, []);
  }
});

test('a source that ends before, or differs exactly up to, the committed position is refused at its end', async () => {
  const records = conversations('a', 3);
  const entry = await begun(scan(records));
  const short = open(new MemoryLane(), entry);
  await publish(short, scan(records.slice(0, 2)));
  assert.throws(() => short.assertReached(2), codeIs('source-changed'));
  const other = open(new MemoryLane(), entry);
  await publish(other, scan(conversations('b', 3)));
  assert.throws(() => other.assertReached(3), codeIs('source-changed'));
  const same = open(new MemoryLane(), entry);
  await publish(same, scan(records));
  same.assertReached(3);
});

test('too many invalid records stop the source, from the least number on and not before', async () => {
  const bad = (count: number) => [...Array.from({ length: count }, () => '0'), ...conversations('a', 20 - count)];
  const limit = { maxShare: 0.1, minRecords: 20 };
  const lane = new MemoryLane();
  await assert.rejects(publish(open(lane, newSource(), limit), scan(bad(3))), codeIs('too-many-invalid'));
  await lane.publisher.flush();
  assert.equal(lane.ordinals.dead.length, 3, 'they are on the dead-letter topic for somebody to look at');
  await publish(open(new MemoryLane(), newSource(), limit), scan(bad(2)));
  await publish(open(new MemoryLane(), newSource(), limit), scan(bad(20).slice(0, 19)));
});

test('a source that was stopped for too many invalid records publishes no more of them, and is never done', async () => {
  const limit = { maxShare: 0.1, minRecords: 10 };
  const records = scan([...Array.from({ length: 3 }, () => '0'), ...conversations('a', 17)]);
  const entry = await begun(records.slice(0, 10));
  const lane = new MemoryLane();
  const source = open(lane, entry, limit);
  await assert.rejects(async () => {
    await publish(source, records);
    source.assertReached(records.length);
    await source.finish('done');
  }, codeIs('too-many-invalid'));
  await lane.publisher.flush();
  assert.deepEqual(lane.ordinals, { data: [], dead: [] });
  // With a larger limit it goes on where it stopped.
  const allowed = open(new MemoryLane(), entry, { maxShare: 0.5, minRecords: 10 });
  await publish(allowed, records);
  assert.equal((await allowed.finish('done')).counts.read, 20);
});

test('the end carries its error, a later step forgets it, and a done source keeps no place within a page', async () => {
  const lane = new MemoryLane();
  const error = { code: 'job-gone', message: 'gone' };
  const entry: LedgerEntry = { ...newSource(), error, position: { ...newSource().position, cursor: 'c' } };
  const source = open(lane, entry);
  await source.moveTo({ cursor: 'd' });
  assert.deepEqual([source.entry.error, source.entry.position.cursor], [undefined, 'd']);
  const last = await source.finish('done');
  assert.equal(last.position.cursor, undefined);
});

test('a source that is begun is committed as one of which nothing is published, whatever was there before', async () => {
  const lane = new MemoryLane();
  const position = { ...newSource().position, cursor: 'c' };
  const source = open(lane, { ...newSource(), state: 'rejected', error: { code: 'job-gone', message: '' }, position });
  await source.begin({ id: 'job-2', jobId: 'job-2' });
  assert.deepEqual(lane.entry, source.entry);
  assert.deepEqual(lane.entry, {
    ...newSource(),
    source: { id: 'job-2', jobId: 'job-2' },
    updatedAt: source.entry.updatedAt,
  });
  await publish(source, scan(conversations('a', 2)));
  assert.equal((await source.finish('done')).counts.published, 2);
});
