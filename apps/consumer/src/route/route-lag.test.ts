import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumedRecord, ReadOptions, TopicPartition } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { EndOffsetCache } from '../group/end-offset-cache.ts';
import type { Place } from '../group/held.ts';
import { RouteLag } from './route-lag.ts';

const START_MS = Date.UTC(2026, 0, 1);

/** Topics of one partition as records and markers: `r` and `m`, each with an offset. Slices hold up to four. */
function setUp(logs: Record<string, string>) {
  const clock = new ManualClock(START_MS);
  const reads: string[] = [];
  const admin = {
    async offsets(topic: string) {
      const log = logs[topic];
      if (log === undefined) throw new Error('no answer');
      return [{ partition: 0, first: 0n, end: BigInt(log.length) }];
    },
    hidden: async () => new Map<number, bigint>(),
  };
  const read = async function* ({ topic }: TopicPartition, { from }: ReadOptions) {
    reads.push(`${topic}@${from}`);
    const log = logs[topic]!;
    if (log.includes('x')) throw new Error('no answer');
    for (let at = Number(from); ; at = Math.min(log.length, at + 4)) {
      const records = Array.from(log.slice(at, at + 4)).flatMap((one, index) =>
        one === 'r'
          ? [{ offset: BigInt(at + index), timestampMs: START_MS + 1000 * (at + index) } as ConsumedRecord]
          : [],
      );
      const end = BigInt(log.length);
      const nextOffset = BigInt(Math.min(log.length, at + 4));
      yield await Promise.resolve({ records, nextOffset, lastStableOffset: end, highWatermark: end });
    }
  };
  /** Partitions whose end is not told: made since the topic was asked. */
  const unknown = new Set<string>();
  const cache = new EndOffsetCache(admin, clock);
  const ends = { of: async (topic: string) => (unknown.has(topic) ? new Map<number, bigint>() : cache.of(topic)) };
  const lag = new RouteLag({ client: { read }, ends, clock });
  const of = async (...assigned: (Place | undefined)[]) => lag.of({ assigned }, 'voice');
  const ofNoMember = async () => lag.of({ assigned: undefined }, 'voice');
  return { clock, reads, of, ofNoMember, unknown, logs };
}

const place = (topic: string, expected: bigint, more: Partial<Place> = {}): Place => ({
  ...{ topic, partition: 0, position: expected, expected, unfinished: 0, oldestMs: undefined, density: 1 },
  ...more,
});

test('markers of transactions are no lag: a paused route with nothing but them before it has none', async () => {
  const { of, reads } = setUp({ main: 'rrrmrmmmm' });
  assert.deepEqual(await of(place('main', 5n)), { records: 0, seconds: 0 });
  assert.deepEqual(await of(place('main', 5n)), { records: 0, seconds: 0 });
  assert.deepEqual(reads, ['main@5'], 'the same question is not asked twice');
});

test('where nothing is in hand the log is looked at: records ahead, and the age of the first', async () => {
  const { of, clock, reads } = setUp({ main: 'mmmmmrmrrm' });
  await clock.advance(60_000);
  assert.deepEqual(await of(place('main', 0n)), { records: 3, seconds: 55 }, 'two read, and one in four of the rest');
  assert.deepEqual(await of(place('main', 7n)), { records: 2, seconds: 53 });
  await clock.advance(60_000);
  assert.equal((await of(place('main', 7n))).seconds, 113);
  assert.deepEqual(reads, ['main@0', 'main@7']);
});

test('records in hand count one by one, what is not fetched by its share of records; the oldest of all partitions is told', async () => {
  const { of, clock, reads } = setUp({ main: 'r'.repeat(100), retry: 'r'.repeat(5) });
  await clock.advance(10_000);
  const inHand = place('main', 50n, { position: 40n, unfinished: 3, oldestMs: START_MS + 4000, density: 0.9 });
  const retry = place('retry', 5n, { unfinished: 1, oldestMs: START_MS + 1000 });
  assert.deepEqual(await of(inHand, retry), { records: 3 + 45 + 1, seconds: 9 });
  assert.deepEqual(reads, []);
});

test('a broker that does not answer makes the lag unknown, never none', async () => {
  const { of } = setUp({ main: 'rrr' });
  assert.ok(Number.isNaN((await of(place('main', 3n), place('silent', 3n))).records));
});

test('what nobody knows of one partition hides nothing of the others: their oldest record is told', async () => {
  const { of, clock, logs, reads } = setUp({ main: 'rrrr', broken: 'xx' });
  await clock.advance(10_000);
  const held = place('main', 4n, { unfinished: 1, oldestMs: START_MS + 1000 });
  assert.deepEqual(await of(place('silent', 3n, { unfinished: 2, oldestMs: START_MS + 500 })), {
    records: Number.NaN,
    seconds: 9.5,
  });
  // A log that cannot be looked at, and once it can.
  assert.deepEqual(await of(held, place('broken', 0n)), { records: Number.NaN, seconds: 9 });
  logs.broken = 'rr';
  const looks = reads.length;
  assert.ok(Number.isNaN((await of(held, place('broken', 0n))).records));
  assert.equal(reads.length, looks, 'the next one does not wait for it too');
  await clock.advance(10_000);
  assert.deepEqual(await of(held, place('broken', 0n)), { records: 3, seconds: 20 });
});

test('where nobody knows where a route stands its lag is unknown, never none', async () => {
  const { of, ofNoMember, clock } = setUp({ main: 'rrrr' });
  await clock.advance(10_000);
  const unknown = { records: Number.NaN, seconds: Number.NaN };
  assert.deepEqual(await ofNoMember(), unknown);
  assert.deepEqual(await of(place('main', 4n), undefined), unknown);
  assert.deepEqual(await of(place('main', 2n), undefined), { records: Number.NaN, seconds: 8 });
  assert.deepEqual(await of(), { records: 0, seconds: 0 }, 'no partition, nothing left');
});

test('a log that had nothing but markers is looked at again once it has grown, and one that is at its end is not', async () => {
  const { of, clock, reads, logs, unknown } = setUp({ main: 'rrmm' });
  assert.deepEqual(await of(place('main', 2n)), { records: 0, seconds: 0 });
  logs.main = 'rrmmmr';
  await clock.advance(60_000);
  assert.deepEqual(await of(place('main', 2n)), { records: 1, seconds: 55 });
  assert.deepEqual(await of(place('main', 6n)), { records: 0, seconds: 0 });
  assert.deepEqual(await of(place('main', 7n)), { records: 0, seconds: 0 }, 'the end was told before the record came');
  unknown.add('main');
  assert.deepEqual(await of(place('main', 2n)), { records: 0, seconds: 0 });
  assert.deepEqual(reads, ['main@2', 'main@2']);
});

test('a record whose time lies ahead of our clock has no age', async () => {
  const { of } = setUp({ main: 'mmmr' });
  assert.deepEqual(await of(place('main', 0n)), { records: 1, seconds: 0 });
});
