import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupAssignment, GroupBatch } from '../../port.ts';
import { AssignedPartition } from './assigned-partition.ts';

const target = { topic: 't', partition: 0 };
const batch = (nextOffset: bigint): GroupBatch => ({
  ...target,
  records: [],
  nextOffset,
  from: 0n,
  outOfRange: false,
  unwanted: 0,
});

function setUp(options: { readonly failAt?: bigint } = {}) {
  const calls: string[] = [];
  const inHand: { readonly assignment: GroupAssignment; readonly done: () => void }[] = [];
  const partition = new AssignedPartition(
    target,
    {
      onBatch({ nextOffset }, assignment) {
        calls.push(`batch ${nextOffset}`);
        if (nextOffset === options.failAt) throw new Error('broken');
        const { promise, resolve } = Promise.withResolvers<undefined>();
        inHand.push({ assignment, done: () => resolve(undefined) });
        return promise;
      },
      onCrash: () => assert.fail(),
    },
    {
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
      heartbeat: async () => undefined,
      failed: (error) => calls.push(`failed ${String(error)}`),
    },
  );
  return { partition, calls, inHand };
}

/** All that is due without waiting for anything else. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('one batch is in hand and one waits; while it waits nothing is fetched', async () => {
  const { partition, calls, inHand } = setUp();
  assert.ok(partition.offer(batch(1n)));
  assert.ok(partition.offer(batch(2n)));
  assert.equal(partition.offer(batch(3n)), false);
  await settle();
  assert.deepEqual(calls, ['pause', 'batch 1']);
  inHand[0]!.done();
  await settle();
  assert.deepEqual(calls, ['pause', 'batch 1', 'resume', 'batch 2']);
  inHand[1]!.done();
  await partition.idle();
  assert.ok(partition.offer(batch(3n)));
});

test('a pause by the owner holds what waits, and a resume goes on with it', async () => {
  const { partition, calls, inHand } = setUp();
  partition.offer(batch(1n));
  partition.offer(batch(2n));
  await settle();
  partition.pause();
  inHand[0]!.done();
  await settle();
  assert.deepEqual(calls, ['pause', 'batch 1', 'pause']);
  assert.equal(partition.offer(batch(3n)), false);
  partition.resume();
  await settle();
  assert.deepEqual(calls, ['pause', 'batch 1', 'pause', 'resume', 'batch 2']);
});

test('a seek drops what waits and makes what is in hand stale; later batches are current', async () => {
  const { partition, calls, inHand } = setUp();
  partition.offer(batch(1n));
  partition.offer(batch(2n));
  await settle();
  partition.forget();
  assert.equal(inHand[0]!.assignment.isCurrent(), false);
  assert.ok(partition.offer(batch(9n)));
  inHand[0]!.done();
  await settle();
  assert.deepEqual(
    calls.filter((call) => call.startsWith('batch')),
    ['batch 1', 'batch 9'],
  );
  assert.ok(inHand[1]!.assignment.isCurrent());
});

test('after the end of the assignment nothing is handed over, and kafkajs keeps no pause', async () => {
  const { partition, calls, inHand } = setUp();
  partition.offer(batch(1n));
  partition.offer(batch(2n));
  partition.pause();
  await settle();
  partition.end();
  assert.equal(calls.at(-1), 'resume');
  assert.equal(inHand[0]!.assignment.isCurrent(), false);
  inHand[0]!.done();
  await partition.idle();
  assert.equal(partition.offer(batch(3n)), false);
  assert.ok(!calls.includes('batch 2'));
});

test('a handler that throws, even at once, is reported and does not block the partition', async () => {
  const { partition, calls } = setUp({ failAt: 1n });
  partition.offer(batch(1n));
  await settle();
  assert.deepEqual(calls, ['batch 1', 'failed Error: broken']);
  assert.ok(partition.offer(batch(2n)));
  await settle();
  assert.equal(calls.at(-1), 'batch 2');
});
