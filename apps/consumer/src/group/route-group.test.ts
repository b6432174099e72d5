import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupAssignment, GroupBatch, GroupConsumer, GroupHandler, TopicPartition } from '@genesys-kafka/kafka';
import { RouteGroup, type GroupSettings, type RouteGroupOptions } from './route-group.ts';

const settings: GroupSettings = {
  limits: { maxRecords: 2, maxBytes: 1 << 20 },
  commitEveryMs: 5,
  commitRecords: 1000,
  revokeGraceMs: 1000,
  stopGraceMs: 1000,
};
const current: GroupAssignment = { isCurrent: () => true, heartbeat: async () => undefined };
const p0: TopicPartition = { topic: 't', partition: 0 };

/** The port, recording what the group asks of it. */
class RecordingConsumer implements GroupConsumer {
  handler: GroupHandler | undefined;
  readonly commits: bigint[] = [];
  readonly calls: string[] = [];
  commitFailures = 0;
  async start(handler: GroupHandler) {
    this.handler = handler;
    handler.onAssigned?.([p0]);
  }
  async commit(offsets: readonly (TopicPartition & { offset: bigint })[]) {
    if (this.commitFailures-- > 0) throw new Error('coordinator away');
    this.commits.push(...offsets.map(({ offset }) => offset));
    this.calls.push(`commit ${offsets.map(({ offset }) => offset).join()}`);
  }
  pause() {
    this.calls.push('pause');
  }
  resume() {
    this.calls.push('resume');
  }
  seek() {
    this.calls.push('seek');
  }
  async stop() {
    this.calls.push('stop');
  }
}

function batch(first: number, count: number): GroupBatch {
  const records = Array.from({ length: count }, (_, index) => ({
    ...p0,
    offset: BigInt(first + index),
    timestampMs: 0,
    key: Buffer.from(`k${first + index}`),
    value: Buffer.alloc(1),
    headers: {},
  }));
  return { ...p0, records, nextOffset: BigInt(first + count), highWatermark: 100n };
}

function start(options: Partial<RouteGroupOptions> = {}) {
  const consumer = new RecordingConsumer();
  const open = new Map<bigint, () => void>();
  const stop = new AbortController();
  const group = new RouteGroup({
    consumer,
    settings,
    work: async (record) => new Promise<void>((done) => open.set(record.offset, () => done())),
    checkGap: async () => undefined,
    onCommitFailure: () => undefined,
    ...options,
  });
  return { consumer, group, open, stop, running: group.run(stop.signal) };
}

const settle = async () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (condition: () => boolean) => {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'it did not come about');
    await settle();
  }
};

test('a full partition pauses and goes on, and the offset is committed only past finished records', async () => {
  const { consumer, group, open, stop, running } = start();
  await group.onBatch(batch(0, 3), current);
  await settle();
  assert.deepEqual(
    consumer.calls.filter((call) => !call.startsWith('commit')),
    ['resume', 'pause'],
  );
  open.get(2n)!();
  open.get(1n)!();
  await until(() => consumer.calls.filter((call) => call === 'resume').length === 2);
  assert.deepEqual(
    consumer.commits.filter((offset) => offset > 0n),
    [],
  );
  open.get(0n)!();
  await until(() => consumer.commits.includes(3n));
  stop.abort();
  await running;
});

test('stop: in flight is finished, then committed, then the group is left', async () => {
  const { consumer, group, open, stop, running } = start();
  await group.onBatch(batch(0, 2), current);
  await settle();
  stop.abort();
  await settle();
  open.forEach((done) => done());
  await running;
  assert.deepEqual(consumer.calls.slice(-2), ['commit 2', 'stop']);
});

test('revoked: what was finished before is committed, what finishes later is not', async () => {
  const { consumer, group, open, stop, running } = start({ settings: { ...settings, commitEveryMs: 60_000 } });
  await group.onBatch(batch(0, 2), current);
  await settle();
  open.get(0n)!();
  await settle();
  group.onRevoked([p0]);
  open.get(1n)!();
  await settle();
  assert.deepEqual(consumer.commits, [1n]);
  await group.onBatch(batch(2, 1), { ...current, isCurrent: () => false });
  stop.abort();
  await running;
  assert.deepEqual(consumer.commits, [1n]);
});

test('assigned again: the new flow begins after the old one has ended', async () => {
  const { group, open, stop, running } = start();
  await group.onBatch(batch(0, 1), current);
  await settle();
  const first = open.get(0n)!;
  group.onRevoked([p0]);
  group.onAssigned([p0]);
  open.clear();
  await group.onBatch(batch(0, 1), current);
  await settle();
  assert.equal(open.size, 0);
  first();
  await until(() => open.size === 1);
  open.get(0n)!();
  stop.abort();
  await running;
});

test('a failed commit is reported and tried again', async () => {
  const failures: unknown[] = [];
  const { consumer, group, open, stop, running } = start({ onCommitFailure: (error) => failures.push(error) });
  consumer.commitFailures = 2;
  await group.onBatch(batch(0, 1), current);
  await settle();
  open.get(0n)!();
  await until(() => consumer.commits.includes(1n));
  assert.equal(failures.length, 2);
  stop.abort();
  await running;
});

test('while a commit is slow, moved positions gather in one commit behind it', async () => {
  const { consumer, group, stop, running } = start({
    settings: { ...settings, limits: { maxRecords: 1000, maxBytes: 1 << 20 }, commitRecords: 1 },
    work: async () => undefined,
  });
  const commit = consumer.commit.bind(consumer);
  let slow: () => void = () => undefined;
  let asked = 0;
  consumer.commit = async (offsets) => {
    asked += 1;
    await new Promise<void>((done) => (slow = () => done()));
    await commit(offsets);
  };
  await group.onBatch(batch(0, 1), current);
  await until(() => asked === 1);
  await group.onBatch(batch(1, 500), current);
  await settle();
  slow();
  await until(() => asked === 2);
  slow();
  await until(() => consumer.commits.includes(501n));
  assert.equal(asked, 2);
  stop.abort();
  await running;
});

test('a crash of the group, and records that are gone, end the run with their error', async () => {
  const crashed = start();
  await settle();
  crashed.consumer.handler!.onCrash(new Error('fatal'));
  await assert.rejects(crashed.running, /fatal/);
  assert.equal(crashed.consumer.calls.at(-1), 'stop');
  const gone = start({
    checkGap: async (_, readUpTo) => {
      if (readUpTo === 1n) throw new Error('gone');
    },
    work: async () => undefined,
  });
  await gone.group.onBatch(batch(0, 1), current);
  await gone.group.onBatch(batch(5, 1), current);
  await assert.rejects(gone.running, /gone/);
  assert.ok(!gone.consumer.commits.includes(6n), 'nothing past the gap is committed');
});
