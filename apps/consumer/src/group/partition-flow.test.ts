import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumedRecord, GroupBatch } from '@genesys-kafka/kafka';
import fc from 'fast-check';
import { PartitionFlow } from './partition-flow.ts';
import type { Work } from './work.ts';

const limits = { maxRecords: 1000, maxBytes: 1 << 20 };

function record(offset: number, key: string | null, size = 10): ConsumedRecord {
  const value = Buffer.alloc(size);
  return {
    topic: 't',
    partition: 0,
    offset: BigInt(offset),
    timestampMs: 0,
    key: key === null ? null : Buffer.from(key),
    value,
    headers: {},
  };
}

function batch(records: ConsumedRecord[], nextOffset = records.at(-1)!.offset + 1n): GroupBatch {
  return { topic: 't', partition: 0, from: 0n, outOfRange: false, unwanted: 0, records, nextOffset };
}

function flowOf(work: Work, options: Partial<ConstructorParameters<typeof PartitionFlow>[0]> = {}): PartitionFlow {
  return new PartitionFlow({
    limits,
    work,
    onChange: () => undefined,
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
}

const settle = async () => new Promise<void>((resolve) => setImmediate(resolve));

test('what the group did not want is behind it, and counted', () => {
  const counts: number[] = [];
  const flow = flowOf(() => undefined, { onUnwanted: (records) => counts.push(records) });
  flow.begin(0n);
  flow.accept({ ...batch([record(3, 'k')], 10n), unwanted: 8 });
  flow.accept({ ...batch([], 12n), from: 10n });
  assert.deepEqual([counts, flow.position, flow.density], [[8], 12n, 9 / 12]);
});

test('one key keeps its order, different keys run at once, every record runs once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.nat()),
      async (keys, choices) => {
        const started: bigint[] = [];
        const open: { key: string; offset: bigint; done: () => void }[] = [];
        const flow = flowOf(async (r) => {
          started.push(r.offset);
          const key = r.key!.toString();
          assert.ok(!open.some((other) => other.key === key), 'two records of one key at once');
          await new Promise<void>((done) => open.push({ key, offset: r.offset, done: () => done() }));
        });
        flow.accept(batch(keys.map((key, index) => record(index, `k${key}`))));
        await settle();
        assert.equal(open.length, new Set(keys).size, 'each key has its first record running');
        while (open.length > 0) {
          const [chosen] = open.splice(choices.next().value! % open.length, 1);
          chosen!.done();
          await settle();
        }
        assert.equal(flow.position, BigInt(keys.length));
        assert.equal(started.length, keys.length);
        for (const key of new Set(keys)) {
          const order = started.filter((offset) => keys[Number(offset)] === key);
          assert.deepEqual(
            order,
            [...order].sort((a, b) => Number(a - b)),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('holds at the bound in records and in bytes, and lets go below it', async () => {
  const open: (() => void)[] = [];
  const wait: Work = async () => new Promise<void>((done) => open.push(() => done()));
  const byCount = flowOf(wait, { limits: { maxRecords: 2, maxBytes: 1 << 20 } });
  byCount.accept(batch([record(0, 'a'), record(1, 'b')]));
  assert.equal(byCount.holding, true);
  await settle();
  open.shift()!();
  await settle();
  assert.equal(byCount.holding, false);
  const byBytes = flowOf(wait, { limits: { maxRecords: 100, maxBytes: 50 } });
  byBytes.accept(batch([record(0, null, 34)]));
  assert.equal(byBytes.holding, true);
  assert.deepEqual(byBytes.inFlight, { records: 1, bytes: 50 });
});

test('while it takes no more it says so, with each record that ends and each batch that comes', async () => {
  const open: (() => void)[] = [];
  let full = 0;
  const work: Work = async () => new Promise<void>((done) => open.push(() => done()));
  const flow = flowOf(work, { limits: { maxRecords: 3, maxBytes: 1 << 20 }, onFull: () => (full += 1) });
  flow.accept(batch([record(0, 'a'), record(1, 'b')]));
  assert.equal(full, 0);
  flow.accept(batch([record(2, 'c'), record(3, 'a')]));
  assert.equal(full, 1);
  open.shift()!();
  await settle();
  assert.equal(full, 2, 'three are in hand still');
  open.shift()!();
  await settle();
  assert.equal(full, 2);
});

test('a record that waits for its time holds the partition', async () => {
  let go: () => void = () => undefined;
  const flow = flowOf(async (_, { whileWaiting }) =>
    whileWaiting(async () => new Promise<void>((done) => (go = () => done()))),
  );
  flow.accept(batch([record(0, 'a')]));
  await settle();
  assert.equal(flow.holding, true);
  go();
  await settle();
  assert.equal(flow.holding, false);
  assert.equal(flow.position, 1n);
});

test('stop: what runs is finished and counted, what has not begun is left below the offset', async () => {
  const open: (() => void)[] = [];
  const flow = flowOf(async () => new Promise<void>((done) => open.push(() => done())));
  flow.accept(batch([record(0, 'a'), record(1, 'a'), record(2, 'b')]));
  await settle();
  const stopped = flow.stop(60_000);
  open.forEach((done) => done());
  await stopped;
  assert.equal(open.length, 2);
  assert.equal(flow.position, 1n);
  flow.accept(batch([record(3, 'c')]));
  await settle();
  assert.equal(open.length, 2);
});

test('stop: a request that does not end is aborted after the grace time', async () => {
  const flow = flowOf(
    async (_, { signal }) =>
      new Promise<void>((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))),
  );
  flow.accept(batch([record(0, 'a')]));
  await settle();
  await flow.stop(1);
  assert.equal(flow.position, 0n);
});

test('a failure nobody asked for is reported, and its key does not go on', async () => {
  const failures: unknown[] = [];
  const seen: bigint[] = [];
  const flow = flowOf(
    async (r) => {
      seen.push(r.offset);
      if (r.offset === 0n) throw new TypeError('bug');
    },
    { onFailure: (error) => failures.push(error) },
  );
  flow.accept(batch([record(0, 'a'), record(1, 'a'), record(2, 'b')]));
  await settle();
  assert.equal(failures.length, 1);
  assert.deepEqual(seen, [0n, 2n]);
  assert.equal(flow.position, 0n);
});

test('a batch that comes again is not worked on twice', async () => {
  const seen: bigint[] = [];
  const flow = flowOf(async (r) => void seen.push(r.offset));
  flow.accept(batch([record(0, 'a'), record(1, 'b')]));
  flow.accept(batch([record(1, 'b'), record(2, 'c')], 4n));
  await settle();
  assert.deepEqual(seen, [0n, 1n, 2n]);
  assert.equal(flow.position, 4n);
});

test('what takes no time is finished at once, behind a record of its key that does only after that', async () => {
  let done: () => void = () => undefined;
  const seen: bigint[] = [];
  const flow = flowOf((r) => {
    seen.push(r.offset);
    return r.offset === 1n ? new Promise<void>((resolve) => (done = () => resolve())) : undefined;
  });
  flow.accept(batch([record(0, 'a'), record(1, 'a'), record(2, 'a'), record(3, 'b')]));
  assert.deepEqual(seen, [0n, 1n, 3n]);
  assert.deepEqual([flow.position, flow.inFlight.records], [1n, 2]);
  done();
  await settle();
  assert.deepEqual(seen, [0n, 1n, 3n, 2n]);
  assert.equal(flow.position, 4n);
});

test('work that throws instead of rejecting is reported, and its record is left below the offset', async () => {
  const failures: unknown[] = [];
  const work: Work = () => {
    throw new TypeError('bug');
  };
  const flow = flowOf(work, { onFailure: (error) => failures.push(error) });
  flow.accept(batch([record(0, 'a')]));
  await settle();
  assert.equal(failures.length, 1);
  assert.equal(flow.position, 0n);
});
