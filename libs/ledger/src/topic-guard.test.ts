import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { ConsumedRecord, OutgoingRecord, PartitionSlice, Producer, TopicPartition } from '@genesys-kafka/kafka';
import { checkLedgerTopics, recordTopics, type AcceptedChanges, type LedgerTopics } from './topic-guard.ts';

const NAMES: LedgerTopics = { data: 'p.data', deadLetters: 'p.dlt', ledger: 'p.ledger' };

interface FakeTopic {
  readonly ends: readonly number[];
  readonly starts?: readonly number[];
}

let topics: Map<string, FakeTopic>;
let written: { readonly key: string; readonly value: string }[];

/** Topics by their end offsets, and a ledger that holds what was written to it. */
const client = {
  admin: {
    describeTopic: async (name: string) => {
      const topic = topics.get(name);
      return topic && { name, partitions: topic.ends.length, config: {} };
    },
    offsets: async (name: string) => {
      const { ends, starts = [] } = topics.get(name)!;
      return ends.map((end, partition) => ({ partition, first: BigInt(starts[partition] ?? 0), end: BigInt(end) }));
    },
  },
  async *read(target: TopicPartition): AsyncGenerator<PartitionSlice> {
    assert.deepEqual(target, { topic: 'p.ledger', partition: 0 });
    const records = written.map(({ key, value }, offset): ConsumedRecord => {
      const bytes = { key: Buffer.from(key), value: Buffer.from(value) };
      return { ...target, ...bytes, offset: BigInt(offset), timestampMs: 0, headers: {} };
    });
    const end = BigInt(topics.get('p.ledger')!.ends[0]!);
    yield { records, nextOffset: end, lastStableOffset: end, highWatermark: end };
  },
  producer: (): Producer => ({
    async send(target: TopicPartition, records: readonly OutgoingRecord[]) {
      assert.deepEqual(target, { topic: 'p.ledger', partition: 0 });
      for (const { key, value } of records) written.push({ key: String(key), value: String(value) });
    },
    close: async () => undefined,
  }),
};

const check = async (accepted: AcceptedChanges = {}) => checkLedgerTopics(client, NAMES, { accepted });

/** A start: checked, missing topics made, recorded. */
async function start(accepted: AcceptedChanges = {}): Promise<void> {
  const known = await check(accepted);
  for (const [name, partitions] of [
    ['p.data', 2],
    ['p.dlt', 2],
    ['p.ledger', 3],
  ] as const) {
    if (!topics.has(name)) topics.set(name, { ends: Array.from({ length: partitions }, () => 0) });
  }
  await recordTopics(client, NAMES, known, topics.get('p.data')!.ends.length);
  const [first = 0, ...rest] = topics.get('p.ledger')!.ends;
  topics.set('p.ledger', { ...topics.get('p.ledger'), ends: [Math.max(first, 1), ...rest] });
}

beforeEach(() => {
  topics = new Map();
  written = [];
});

test('a first start records the partitions, later ones write nothing more', async () => {
  await start();
  topics.set('p.data', { ends: [50, 60] });
  await start();
  await start();
  assert.equal(written.length, 1);
  const { partitions, kind } = JSON.parse(written[0]!.value) as { partitions: number; kind: string };
  assert.deepEqual([written[0]!.key, kind, partitions], ['topics/p.data', 'topics', 2]);
});

test('a ledger that was deleted beside published records is not made again', async () => {
  await start();
  topics.set('p.data', { ends: [0, 200] });
  topics.delete('p.ledger');
  written = [];
  await assert.rejects(start(), { code: 'ledger-missing', message: /p\.ledger does not exist.*p\.data.*--new-ledger/ });
  assert.equal(topics.has('p.ledger'), false);
  await start({ newLedger: true });
  await start();
});

test('a ledger that somebody made again, empty, is no ledger either; retention does not excuse it', async () => {
  topics.set('p.data', { ends: [200, 0], starts: [200, 0] });
  topics.set('p.ledger', { ends: [0, 0, 0] });
  await assert.rejects(start(), { code: 'ledger-missing', message: /p\.ledger is empty/ });
});

test('dead letters alone are published records too', async () => {
  topics.set('p.data', { ends: [0, 0] });
  topics.set('p.dlt', { ends: [3, 0] });
  await assert.rejects(start(), { code: 'ledger-missing', message: /p\.dlt holds/ });
});

test('a ledger whose first records were deleted is refused once, until it is accepted', async () => {
  await start();
  topics.set('p.data', { ends: [50, 60] });
  topics.set('p.ledger', { ends: [9, 9, 9], starts: [0, 0, 4] });
  await assert.rejects(start(), { code: 'ledger-missing', message: /The first 4 offsets of p\.ledger partition 2/ });
  await start({ newLedger: true });
  await start();
  topics.set('p.ledger', { ends: [9, 9, 9], starts: [0, 0, 5] });
  await assert.rejects(start(), { code: 'ledger-missing' });
});

test('a data topic that was deleted is not made again under a ledger that says done', async () => {
  await start();
  topics.delete('p.data');
  await assert.rejects(start(), { code: 'data-missing', message: /p\.data does not exist.*--again/ });
});

test('a ledger that was made anew while somebody was at work has lines, but not its first one', async () => {
  topics.set('p.data', { ends: [1, 1] });
  topics.set('p.ledger', { ends: [5, 0, 0] });
  await assert.rejects(start(), { code: 'ledger-missing', message: /lacks its first line.*--new-ledger/ });
  await start({ newLedger: true });
  await start();
  assert.equal(written.length, 1);
});

test('nine partitions instead of six are refused, until it is accepted', async () => {
  topics.set('p.data', { ends: [1, 1, 1, 1, 1, 1] });
  topics.set('p.ledger', { ends: [5, 0, 0] });
  await start({ newLedger: true });
  topics.set('p.data', { ends: [1, 1, 1, 1, 1, 1, 0, 0, 0] });
  await assert.rejects(start(), { code: 'partitions-changed', message: /has 9 partitions, and had 6.*--accept-part/ });
  await start({ partitions: true });
  await start();
  topics.set('p.data', { ends: [1] });
  await assert.rejects(start(), { code: 'partitions-changed' });
});

test('a line that this version does not know is not guessed at', async () => {
  topics.set('p.data', { ends: [1, 1] });
  topics.set('p.ledger', { ends: [5, 0, 0] });
  for (const value of ['{"v":2,"kind":"topics","partitions":2}', 'no', 'null', '{"v":1,"kind":"topics"}']) {
    written = [{ key: 'topics/p.data', value }];
    await assert.rejects(check(), { code: 'ledger-unreadable' }, value);
  }
});
