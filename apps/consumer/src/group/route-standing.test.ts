import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupAssignment, GroupConsumer, GroupHandler } from '@genesys-kafka/kafka';
import { keyedFlows } from './partition-flow.ts';
import { RouteGroup } from './route-group.ts';

const p0 = { topic: 't', partition: 0 };
const current: GroupAssignment = { isCurrent: () => true, heartbeat: async () => undefined };
const settings = { commitEveryMs: 5, commitRecords: 1000, revokeGraceMs: 1000, stopGraceMs: 1000, lastCommitMs: 5 };

/** A group over the port, whose one record is finished when told to. */
function start({ joins = true, answers = true } = {}) {
  const finished = Promise.withResolvers<undefined>();
  let committed = 0n;
  const failures: unknown[] = [];
  const consumer: GroupConsumer = {
    silentMs: 0,
    start: (handler: GroupHandler) => {
      if (!joins) return new Promise(() => undefined);
      handler.onAssigned?.([p0]);
      return Promise.resolve();
    },
    commit: ([place]) => {
      committed = place!.offset;
      return answers ? Promise.resolve() : new Promise(() => undefined);
    },
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
    stop: () => Promise.resolve(),
  };
  const group = new RouteGroup({
    consumer,
    settings,
    flowOf: keyedFlows({
      work: async () => {
        await finished.promise;
      },
      limits: { maxRecords: 100, maxBytes: 1 << 20 },
    }),
    places: {
      goOnAt: () => Promise.resolve(committed),
      kept: () => Promise.resolve(undefined),
      checkTopics: () => Promise.resolve(),
      askAnew: () => undefined,
    },
    onCommitFailure: (error) => failures.push(error),
  });
  const stop = new AbortController();
  const running = group.run(stop.signal);
  return {
    group,
    failures,
    take: () => {
      const record = { ...p0, offset: 0n, timestampMs: 0, key: null, value: Buffer.alloc(1), headers: {} };
      return group.onBatch(
        { ...p0, from: 0n, outOfRange: false, unwanted: 0, records: [record], nextOffset: 1n },
        current,
      );
    },
    finish: () => finished.resolve(undefined),
    positions: () => group.assigned?.map((place) => place?.position),
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve));
};

test('while a group is handed out anew it stands where it stood, and what another member had nobody knows where', async () => {
  const { group, take, finish, positions, end } = start();
  await take();
  assert.deepEqual(positions(), [0n]);
  // Until all members have joined nobody else has it; and then it waits for the request that is in flight.
  group.onRevoked([p0]);
  assert.deepEqual(positions(), [0n]);
  group.onAssigned([p0]);
  assert.deepEqual(positions(), [0n]);
  finish();
  await until(() => positions()?.[0] === 1n);

  group.onRevoked([p0]);
  group.onAssigned([]);
  assert.deepEqual(positions(), []);
  group.onRevoked([]);
  group.onAssigned([p0]);
  assert.deepEqual(positions(), [undefined]);
  await until(() => positions()?.[0] === 1n);

  group.onLost([p0]);
  group.onRevoked([p0]);
  group.onAssigned([p0]);
  assert.deepEqual(positions(), [undefined], 'another member may have had it in between');
  await end();
});

test('before it has joined and after it has ended nobody knows where a group stands', async () => {
  const waiting = start({ joins: false });
  assert.equal(waiting.positions(), undefined);
  await waiting.end();
  const joined = start();
  await until(() => joined.positions()?.[0] === 0n);
  await joined.end();
  assert.equal(joined.positions(), undefined);
});

test('brokers that do not answer keep a group from ending no longer than it is told; what was not committed is told', async () => {
  const { take, finish, failures, end } = start({ answers: false });
  await take();
  finish();
  await end();
  assert.match(String(failures), /The brokers did not answer in time/);
});
