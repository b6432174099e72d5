import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupAssignment, GroupBatch, GroupConsumer, GroupHandler, TopicPartition } from '@genesys-kafka/kafka';
import { keyedFlows } from './partition-flow.ts';
import { RouteGroup, type GroupSettings, type RouteGroupOptions } from './route-group.ts';

const settings: GroupSettings = {
  commitEveryMs: 5,
  commitRecords: 1000,
  revokeGraceMs: 1000,
  stopGraceMs: 1000,
  lastCommitMs: 60_000,
};
const limits = { maxRecords: 2, maxBytes: 1 << 20 };
const current: GroupAssignment = { isCurrent: () => true, heartbeat: async () => undefined };
const p0: TopicPartition = { topic: 't', partition: 0 };

/** The port, recording what the group asks of it. */
class RecordingConsumer implements GroupConsumer {
  readonly silentMs = 0;
  handler: GroupHandler | undefined;
  readonly commits: bigint[] = [];
  readonly calls: string[] = [];
  readonly seeks: bigint[] = [];
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
  seek(_: TopicPartition, offset: bigint) {
    this.seeks.push(offset);
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
  return {
    ...p0,
    from: BigInt(first),
    outOfRange: false,
    unwanted: 0,
    records,
    nextOffset: BigInt(first + count),
  };
}

function start(options: Partial<RouteGroupOptions> = {}) {
  const consumer = new RecordingConsumer();
  const open = new Map<bigint, () => void>();
  const stop = new AbortController();
  const group = new RouteGroup({
    consumer,
    settings,
    flowOf: keyedFlows({
      work: async (record) => new Promise<void>((done) => open.set(record.offset, () => done())),
      limits,
    }),
    places: {
      goOnAt: async (_, readUpTo) => readUpTo ?? 0n,
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
    onCommitFailure: () => undefined,
    ...options,
  });
  return { consumer, group, open, stop, running: group.run(stop.signal) };
}

const settle = async () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (condition: () => boolean) => {
  const endMs = performance.now() + 60_000;
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

test('revoked: what is finished is committed at once, and what ends in the time given when it has ended', async () => {
  const { consumer, group, open, stop, running } = start({ settings: { ...settings, commitEveryMs: 60_000 } });
  await group.onBatch(batch(0, 2), current);
  await settle();
  open.get(0n)!();
  await settle();
  group.onRevoked([p0]);
  assert.deepEqual(consumer.commits, [1n], 'before anything else is done');
  open.get(1n)!();
  await settle();
  assert.deepEqual(consumer.commits, [1n, 2n]);
  await group.onBatch(batch(2, 1), { ...current, isCurrent: () => false });
  stop.abort();
  await running;
  assert.deepEqual(consumer.commits, [1n, 2n]);
});

test('lost: neither what was finished nor what ends later is committed, as others may have been there since', async () => {
  const { consumer, open, stop, running } = start({ settings: { ...settings, commitEveryMs: 60_000 } });
  const handler = consumer.handler!;
  await handler.onBatch(batch(0, 2), current);
  open.get(0n)!();
  await settle();
  handler.onLost!([p0]);
  handler.onRevoked!([p0]);
  handler.onAssigned!([p0]);
  open.get(1n)!();
  await settle();
  stop.abort();
  await running;
  assert.deepEqual(consumer.commits, [0n], 'where the group was found to stand');
});

test('lost while it ends: what ends after it is not committed', async () => {
  const { consumer, open, stop, running } = start({ settings: { ...settings, commitEveryMs: 60_000 } });
  const handler = consumer.handler!;
  await handler.onBatch(batch(0, 2), current);
  handler.onRevoked!([p0]);
  handler.onAssigned!([]);
  handler.onLost!([p0]);
  handler.onAssigned!([p0]);
  for (const done of open.values()) done();
  await settle();
  stop.abort();
  await running;
  assert.ok(
    consumer.commits.every((offset) => offset === 0n),
    'where the group was found to stand, and no more',
  );
});

test('assigned again: the new flow begins after the old one has ended', async () => {
  const { group, open, stop, running } = start();
  await group.onBatch(batch(0, 1), current);
  await settle();
  const first = open.get(0n)!;
  group.onRevoked([p0]);
  group.onAssigned([p0]);
  open.clear();
  const again = group.onBatch(batch(0, 1), current);
  await settle();
  assert.equal(open.size, 0);
  first();
  await again;
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
    settings: { ...settings, commitRecords: 1 },
    flowOf: keyedFlows({ work: async () => undefined, limits: { ...limits, maxRecords: 1000 } }),
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
    places: {
      goOnAt: async (_, readUpTo) => (readUpTo === undefined ? 0n : Promise.reject(new Error('gone'))),
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
    flowOf: keyedFlows({ work: async () => undefined, limits }),
  });
  await gone.group.onBatch(batch(0, 1), current);
  await gone.group.onBatch({ ...batch(1, 0), outOfRange: true }, current);
  await assert.rejects(gone.running, /gone/);
  assert.ok(
    gone.consumer.commits.every((offset) => offset <= 1n),
    'nothing past the gap is committed',
  );
});

test('an assignment’s first batch begins at the committed offset, and each other one where the last ended: the rest is sought', async () => {
  const worked: bigint[] = [];
  const { consumer, group, stop, running } = start({
    places: {
      goOnAt: async (_, readUpTo) => readUpTo ?? 100n,
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
    flowOf: keyedFlows({ work: async ({ offset }) => void worked.push(offset), limits }),
  });
  // After a move of leaders the client had passed over records 100 to 104 by itself.
  await group.onBatch(batch(105, 2), current);
  // Told where it stands as the assignment begins, and again.
  assert.deepEqual(consumer.seeks, [100n, 100n]);
  await group.onBatch(batch(100, 7), current);
  // A topic that is made anew begins at 0: dropped as "delivered again", its records were gone for good.
  await group.onBatch(batch(0, 3), current);
  await group.onBatch(batch(110, 3), current);
  assert.deepEqual(consumer.seeks, [100n, 100n, 107n, 107n]);
  await settle();
  assert.deepEqual(worked, [100n, 101n, 102n, 103n, 104n, 105n, 106n]);
  stop.abort();
  await running;
  assert.equal(consumer.commits.at(-1), 107n);
});

test('a place is asked for anew once the flow before it has ended: what was asked until then is of an earlier one', async () => {
  const open = new Map<bigint, () => void>();
  let committed = 0n;
  let asking: Promise<bigint> | undefined;
  const { consumer, group, stop, running } = start({
    places: {
      // One question for all that ask meanwhile, answered with what was committed when it was first asked.
      goOnAt: (_, readUpTo) => {
        if (readUpTo !== undefined) return Promise.resolve(readUpTo);
        const now = committed;
        return (asking ??= new Promise((resolve) => setImmediate(() => resolve(now))));
      },
      kept: async () => undefined,
      askAnew: () => (asking = undefined),
      checkTopics: async () => undefined,
    },
    flowOf: keyedFlows({
      work: async ({ offset }) => new Promise<void>((done) => open.set(offset, () => done())),
      limits,
    }),
  });
  const commit = consumer.commit.bind(consumer);
  consumer.commit = async (offsets) => {
    await commit(offsets);
    committed = offsets[0]!.offset;
  };
  await group.onBatch(batch(0, 1), current);
  consumer.handler!.onAssigned!([p0]);
  // Somebody else’s question, while the record is still in flight.
  await group.onBatch({ ...batch(0, 0), partition: 1 }, { ...current, isCurrent: () => false });
  asking = Promise.resolve(0n);
  open.get(0n)!();
  await until(() => consumer.seeks.includes(1n));
  stop.abort();
  await running;
  assert.equal(consumer.commits.at(-1), 1n);
});

test('a loss that is accepted is gone over at the log’s start, by a flow of its own', async () => {
  const worked: bigint[] = [];
  const { consumer, group, stop, running } = start({
    places: {
      goOnAt: async (_, readUpTo) => (readUpTo === undefined ? 700n : 0n),
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
    flowOf: keyedFlows({ work: async ({ offset }) => void worked.push(offset), limits }),
  });
  await group.onBatch({ ...batch(700, 0), outOfRange: true }, current);
  await until(() => consumer.seeks.length > 1);
  assert.deepEqual(consumer.seeks, [700n, 0n]);
  await group.onBatch(batch(0, 2), current);
  await until(() => worked.length === 2);
  stop.abort();
  await running;
  assert.equal(consumer.commits.at(-1), 2n);
});

test('the client is told where an assignment begins: no batch would come where it stands at the log’s end', async () => {
  const { consumer, stop, running } = start({
    places: {
      goOnAt: async () => 3n,
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
  });
  await until(() => consumer.seeks.length > 0);
  assert.deepEqual(consumer.seeks, [3n]);
  stop.abort();
  await running;
});

test('nothing is committed in a topic that was made anew: the run ends', async () => {
  let isAnew = false;
  const { consumer, group, running } = start({
    places: {
      goOnAt: async () => 0n,
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => (isAnew ? Promise.reject(new Error('made anew')) : undefined),
    },
    flowOf: keyedFlows({ work: async () => undefined, limits }),
  });
  await until(() => consumer.commits.includes(0n));
  isAnew = true;
  await group.onBatch(batch(0, 1), current);
  await assert.rejects(running, /made anew/);
  assert.deepEqual(consumer.commits, [0n]);
});

test('a place that cannot be asked for ends the run with its reason, also where no record has come', async () => {
  const { running, consumer } = start({
    places: {
      goOnAt: async () => Promise.reject(new Error('records are gone')),
      kept: async () => undefined,
      askAnew: () => undefined,
      checkTopics: async () => undefined,
    },
  });
  await assert.rejects(running, /records are gone/);
  assert.equal(consumer.calls.at(-1), 'stop');
});
