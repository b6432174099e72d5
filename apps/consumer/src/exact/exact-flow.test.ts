import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupCommit } from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import type { Work } from '../group/work.ts';
import type { Settle } from '../group/settle.ts';
import { ExactFlow, type ExactFlowOptions } from './exact-flow.ts';
import type { PartitionWriter, Start } from './partition-writer.ts';

const target = { topic: 't', partition: 0 };
const record = (offset: number, key = 'mine') => ({
  ...target,
  offset: BigInt(offset),
  timestampMs: 0,
  key: Buffer.from(key),
  value: Buffer.alloc(10),
  headers: {},
});
const batchOf = (from: number, records: readonly ReturnType<typeof record>[], nextOffset?: number) => ({
  ...target,
  from: BigInt(from),
  outOfRange: false,
  unwanted: 0,
  records,
  nextOffset: BigInt(nextOffset ?? Number(records.at(-1)!.offset) + 1),
});
const settle = async () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (condition: () => boolean) => {
  const endMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'it did not come about');
    await settle();
  }
};

/** Records what it is asked, and writes when it is told. */
class RecordingWriter implements PartitionWriter {
  readonly calls: string[] = [];
  start: Start = { offset: 0n };
  declares: string | undefined;
  released = Promise.withResolvers<undefined>();
  open: bigint[] = [];
  begin(offset: bigint, kept: GroupCommit | undefined) {
    this.calls.push(`begin ${offset} ${kept?.note ?? '-'}`);
    return Promise.resolve(this.start);
  }
  add({ record: { offset } }: Parameters<PartitionWriter['add']>[0]) {
    this.open.push(offset);
    return undefined;
  }
  async write(...[{ first, end }, declare]: Parameters<PartitionWriter['write']>) {
    if (this.declares !== undefined) await declare(this.declares);
    this.calls.push(`write ${first}-${end} ${this.open.join()}`);
    const written = this.open.length;
    this.open = [];
    await this.released.promise;
    return written;
  }
  close() {
    this.calls.push('close');
    return Promise.resolve();
  }
}

/** Records of the key `mine` are picked. */
const workOf =
  (pick: Settle): Work =>
  (one) => {
    if (one.key?.toString() !== 'mine') return undefined;
    const value = { kind: 'record', body: one.value!, contentType: 'application/json' } as const;
    return pick({ record: one, state: {} as never, value }, {} as never);
  };

function flowOf(options: Partial<ExactFlowOptions> = {}) {
  const writer = new RecordingWriter();
  const failures: unknown[] = [];
  let delivered = 0;
  const flow = new ExactFlow({
    limits: { maxRecords: 5, maxBytes: 1 << 20 },
    batch: { records: 3, bytes: 1 << 20, ageMs: 60_000 },
    draining: false,
    writer,
    workOf,
    hooks: { onChange: () => undefined, onFailure: (error) => failures.push(error), commit: async () => true },
    onDelivered: (records) => (delivered += records),
    clock: systemClock,
    ...options,
  });
  return { flow, writer, failures, delivered: () => delivered };
}
const nothing = async () => undefined;
const fail = (error: unknown) => assert.ifError(error);

test('one batch at a time: its first record is the position until it is written, and what comes meanwhile pauses the partition', async () => {
  const { flow, writer, delivered } = flowOf();
  await flow.begin(0n, nothing);
  flow.accept(batchOf(0, [record(0, 'other'), record(1), record(2, 'other'), record(3), record(4)]));
  await until(() => writer.calls.includes('write 1-5 1,3,4'));
  assert.equal(flow.position, 1n);
  flow.accept(
    batchOf(
      5,
      [5, 6, 7, 8, 9].map((offset) => record(offset)),
    ),
  );
  assert.ok(flow.holding);
  await settle();
  assert.equal(writer.calls.length, 2, 'a second batch beside the first');
  writer.released.resolve(undefined);
  await until(() => delivered() === 6);
  assert.equal(flow.position, 8n);
  assert.ok(!flow.holding);
  assert.deepEqual(writer.calls.slice(2), ['write 5-8 5,6,7']);
  await flow.stop(1000);
  assert.deepEqual(writer.calls.at(-1), 'close');
  assert.equal(flow.position, 8n, 'what had gathered comes again');
});

test('records that come again with a fetch are not in a batch twice', async () => {
  const { flow, writer } = flowOf();
  await flow.begin(0n, nothing);
  flow.accept(batchOf(0, [record(0), record(1)]));
  flow.accept(batchOf(0, [record(0), record(1), record(2)]));
  await until(() => writer.calls.some((call) => call.startsWith('write')));
  assert.equal(writer.calls.at(-1), 'write 0-3 0,1,2');
  writer.released.resolve(undefined);
  await flow.stop(1000);
});

test('records of others, and markers, move the position at once', async () => {
  const { flow } = flowOf();
  await flow.begin(0n, nothing);
  flow.accept(batchOf(0, [record(0, 'other'), record(1, 'other')], 9));
  await until(() => flow.position === 9n);
  flow.accept(batchOf(9, [record(9), record(10, 'other')], 12));
  await settle();
  assert.equal(flow.position, 9n);
  await flow.stop(1000);
});

test('a batch that was begun is made again to its end, whatever the limits are, and the note stays beside the position', async () => {
  const { flow, writer } = flowOf();
  writer.start = { offset: 1n, redo: { to: 6n, note: 'batch=6:ab' } };
  await flow.begin(1n, async () => ({ offset: 1n, note: 'batch=6:ab rules=1' }));
  assert.equal(writer.calls[0], 'begin 1 batch=6:ab rules=1');
  // Others' by now, as after a change of the rule: the place of the batch is kept all the same.
  flow.accept(batchOf(1, [record(1, 'other')]));
  await settle();
  assert.deepEqual([flow.position, flow.note], [1n, 'batch=6:ab']);
  flow.accept(batchOf(2, [record(2), record(3), record(4)]));
  await settle();
  assert.deepEqual([flow.position, flow.note], [1n, 'batch=6:ab']);
  assert.equal(writer.calls.length, 1);
  flow.accept(batchOf(5, [record(5), record(6)]));
  await until(() => writer.calls.includes('write 2-6 2,3,4,5'));
  writer.released.resolve(undefined);
  await until(() => flow.note === undefined);
  assert.equal(flow.position, 6n);
  await flow.stop(1000);
});

test('a place that was committed elsewhere keeps nothing of the batch; a declared note is what a commit takes along', async () => {
  let kept: [bigint | undefined, string | undefined] | undefined;
  const { flow, writer } = flowOf({
    batch: { records: 1, bytes: 100, ageMs: 1000 },
    hooks: {
      onChange: () => undefined,
      onFailure: fail,
      commit: async () => {
        kept = [flow.position, flow.note];
        return true;
      },
    },
  });
  writer.declares = 'batch=8:cd';
  writer.start = { offset: 7n };
  await flow.begin(7n, async () => ({ offset: 3n, note: 'batch=6:ab' }));
  assert.equal(writer.calls[0], 'begin 7 -');
  flow.accept(batchOf(7, [record(7)]));
  await until(() => writer.calls.length === 2);
  assert.deepEqual(kept, [7n, 'batch=8:cd']);
  writer.released.resolve(undefined);
  await until(() => flow.position === 8n);
  assert.equal(flow.note, undefined);
  await flow.stop(1000);
});

test('a batch goes when it is old, a drain does not wait for that, and without an age it takes what has come', async () => {
  for (const [batch, draining, waitMs, expected] of [
    [{ records: 100, bytes: 1 << 20, ageMs: 20 }, false, 20, 'write 0-2 0,1'],
    [{ records: 100, bytes: 1 << 20, ageMs: 60_000 }, true, 500, 'write 0-2 0,1'],
    [{ records: 100, bytes: 1 << 20, ageMs: 0 }, false, 0, 'write 0-2 0,1'],
    [{ records: 100, bytes: 15, ageMs: 60_000 }, false, 0, 'write 0-1 0'],
  ] as const) {
    const clock = new ManualClock();
    const { flow, writer } = flowOf({ batch, draining, clock });
    await flow.begin(0n, nothing);
    flow.accept(batchOf(0, [record(0), record(1)]));
    if (waitMs > 0) {
      await until(() => clock.sleeping > 0);
      await clock.advance(waitMs - 1);
      assert.equal(writer.calls.length, 1);
      await clock.advance(1);
    }
    await until(() => writer.calls.length > 1);
    assert.equal(writer.calls[1], expected);
    writer.released.resolve(undefined);
    await flow.stop(1000);
  }
});

test('what a writer fails with ends the membership; a stop in the midst does not', async () => {
  const { flow, writer, failures } = flowOf({ batch: { records: 1, bytes: 100, ageMs: 0 } });
  await flow.begin(0n, nothing);
  flow.accept(batchOf(0, [record(0)]));
  await until(() => writer.calls.length === 2);
  const failure = new Error('no');
  writer.released.reject(failure);
  await until(() => failures.length === 1);
  assert.equal(failures[0], failure);
  assert.equal(flow.position, 0n);
  await flow.stop(1000);
});

test('what comes without any record is passed: markers, and records that were aborted', async () => {
  const { flow, writer } = flowOf({ batch: { records: 100, bytes: 1 << 20, ageMs: 60_000 } });
  await flow.begin(0n, nothing);
  flow.accept({ ...batchOf(0, [record(0)]), records: [], nextOffset: 2n });
  await until(() => flow.position === 2n);
  flow.accept({ ...batchOf(2, [record(2)]), nextOffset: 3n });
  await until(() => flow.inFlight.records === 1 && flow.position === 2n);
  flow.accept({ ...batchOf(3, [record(3)]), records: [], nextOffset: 5n });
  await flow.stop(1000);
  assert.equal(flow.position, 2n, 'an open batch is not passed');
  assert.deepEqual(writer.calls.slice(1), ['close'], 'nothing is written');
});

test('memory is given back when all that lies in it is at the target, and not before', async () => {
  const { flow, writer } = flowOf();
  await flow.begin(0n, async () => undefined);
  const [first, second, others] = [Buffer.alloc(9), Buffer.alloc(9), Buffer.alloc(9)];
  const lengths = () => [first, second, others].map(({ length }) => length);
  // The open batch ends within the second one.
  flow.accept({ ...batchOf(0, [record(0), record(1)]), memory: [first] });
  flow.accept({ ...batchOf(2, [record(2), record(3)]), memory: [second] });
  await until(() => writer.calls.length === 2);
  assert.deepEqual(lengths(), [9, 9, 9]);
  writer.released.resolve(undefined);
  await until(() => first.length === 0);
  assert.deepEqual(lengths(), [0, 9, 9]);
  // While a batch is open the position stands at its first record.
  flow.accept({ ...batchOf(4, [record(4, 'theirs')]), memory: [others] });
  await until(() => flow.inFlight.records === 1);
  assert.deepEqual(lengths(), [0, 9, 9]);
  flow.accept(batchOf(5, [record(5), record(6)]));
  await until(() => flow.position === 7n);
  assert.deepEqual(lengths(), [0, 0, 0]);
  const none = Buffer.alloc(9);
  flow.accept({ ...batchOf(7, [record(7, 'theirs')]), memory: [none] });
  await until(() => none.length === 0);
  await flow.stop(0);
});
