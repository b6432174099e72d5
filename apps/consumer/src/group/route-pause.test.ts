import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupAssignment, GroupBatch, GroupConsumer, GroupHandler, TopicPartition } from '@genesys-kafka/kafka';
import { keyedFlows } from './partition-flow.ts';
import { RouteGroup, type GroupSettings } from './route-group.ts';

const settings: GroupSettings = {
  commitEveryMs: 5,
  commitRecords: 1000,
  revokeGraceMs: 1000,
  stopGraceMs: 1000,
  lastCommitMs: 60_000,
};
const limits = { maxRecords: 100, maxBytes: 1 << 20 };
const current: GroupAssignment = { isCurrent: () => true, heartbeat: async () => undefined };
const partitions = [0, 1].map((partition) => ({ topic: 't', partition }));
const [p0] = partitions as [TopicPartition];

function batch(first: number, count: number): GroupBatch {
  const records = Array.from({ length: count }, (_, index) => ({
    ...p0,
    offset: BigInt(first + index),
    timestampMs: 1000 + first + index,
    key: Buffer.from('one'),
    value: Buffer.alloc(1),
    headers: {},
  }));
  return { ...p0, from: BigInt(first), outOfRange: false, unwanted: 0, records, nextOffset: BigInt(first + count) };
}

/** A group over the port, whose committed offsets are what it commits; records of one key end when told to. */
function start(isPaused = false) {
  const committed = new Map<number, bigint>();
  const commits: string[] = [];
  const paused = new Set<number>();
  const seeks: string[] = [];
  let handler: GroupHandler | undefined;
  const consumer: GroupConsumer = {
    silentMs: 0,
    start: async (given) => {
      handler = given;
      given.onAssigned?.(partitions);
    },
    commit: async (offsets) => {
      for (const { partition, offset } of offsets) {
        committed.set(partition, offset);
        commits.push(`${partition}@${offset}`);
      }
    },
    pause: (targets) => targets.forEach(({ partition }) => paused.add(partition)),
    resume: (targets) => targets.forEach(({ partition }) => paused.delete(partition)),
    seek: ({ partition }, offset) => void seeks.push(`${partition}@${offset}`),
    stop: async () => undefined,
  };
  const begun: bigint[] = [];
  const open = new Map<bigint, () => void>();
  const stop = new AbortController();
  const group = new RouteGroup({
    consumer,
    settings,
    isPaused,
    flowOf: keyedFlows({
      work: (record) => {
        begun.push(record.offset);
        return new Promise<void>((done) => open.set(record.offset, () => done()));
      },
      limits,
    }),
    places: {
      goOnAt: async ({ partition }, readUpTo) => readUpTo ?? committed.get(partition) ?? 0n,
      kept: async () => undefined,
      checkTopics: async () => undefined,
      askAnew: () => undefined,
    },
    onCommitFailure: () => undefined,
  });
  const running = group.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { group, begun, open, commits, paused, seeks, end, rebalance: () => handler!.onAssigned!(partitions) };
}

const turns = async () => {
  for (let i = 0; i < 5; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};
const until = async (condition: () => boolean) => {
  const endMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'it did not come about');
    await turns();
  }
};

test('a pause lets what is in flight end and commits it, begins nothing more, and resuming goes on right behind it', async () => {
  const { group, begun, open, commits, paused, seeks, end } = start();
  await group.onBatch(batch(0, 3), current);
  await until(() => begun.length === 1);
  group.setPaused(true);
  assert.deepEqual([...paused].sort(), [0, 1]);
  open.get(0n)!();
  await until(() => commits.includes('0@1'));
  const standing = commits.length;
  // The client had fetched this before it knew.
  await group.onBatch(batch(3, 2), current);
  await turns();
  assert.deepEqual(begun, [0n], 'nothing is begun');
  assert.equal(commits.length, standing, 'no offset moves');
  const [place] = group.assigned!;
  assert.deepEqual([place!.position, place!.expected, place!.unfinished], [1n, 1n, 0]);

  group.setPaused(false);
  await until(() => seeks.includes('0@1'));
  assert.deepEqual([...paused], []);
  await group.onBatch(batch(1, 1), current);
  await until(() => begun.length === 2);
  open.get(1n)!();
  await until(() => commits.includes('0@2'));
  await end();
});

test('a route that is paused as it begins, or while its group is rebalanced, delivers nothing and knows where it stands', async () => {
  const { group, begun, paused, commits, rebalance, end } = start(true);
  for (let round = 0; round < 2; round += 1) {
    await until(() => group.assigned?.every((place) => place) === true);
    await group.onBatch(batch(0, 3), current);
    await turns();
    assert.deepEqual([begun, commits, [...paused].sort()], [[], [], [0, 1]]);
    assert.equal(group.joined, true);
    rebalance();
  }
  group.setPaused(false);
  await group.onBatch(batch(0, 1), current);
  await until(() => begun.length === 1);
  const stopping = end();
  await turns();
  group.setPaused(true);
  await turns();
  void stopping;
});

test('the oldest record in hand is known by its time', async () => {
  const { group, open, begun, end } = start();
  await group.onBatch(batch(0, 3), current);
  await until(() => begun.length === 1);
  assert.equal(group.assigned![0]!.oldestMs, 1000);
  open.get(0n)!();
  await until(() => begun.length === 2);
  assert.deepEqual([group.assigned![0]!.oldestMs, group.assigned![0]!.unfinished], [1001, 2]);
  open.get(1n)!();
  await until(() => begun.length === 3);
  open.get(2n)!();
  await end();
});
