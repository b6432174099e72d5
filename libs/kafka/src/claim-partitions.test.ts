import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@genesys-kafka/resilience';
import { claimPartitions, type PartitionClaim } from './claim-partitions.ts';
import { partitionName } from './partition-name.ts';
import type { ConsumedRecord, PartitionSlice, TopicPartition, TransactionalProducer } from './port.ts';

const PARTITIONS = [0, 1].map((partition) => ({ topic: 't', partition }));

/** Partitions that hold one record each; a committed claim becomes readable once `opens` says so. */
function setUp(opens: (target: TopicPartition) => boolean) {
  const calls: string[] = [];
  const producer: TransactionalProducer = {
    async begin() {
      calls.push('begin');
      return {
        send: async (target) => {
          calls.push(`send ${partitionName(target)}`);
        },
        sendBatches: async () => assert.fail(),
        commit: async () => {
          calls.push('commit');
        },
        abort: async () => assert.fail(),
      };
    },
    close: async () => undefined,
  };
  async function* read(target: TopicPartition): AsyncGenerator<PartitionSlice> {
    calls.push(`read ${partitionName(target)}`);
    const record = (offset: bigint, text: string): ConsumedRecord => ({
      ...target,
      offset,
      timestampMs: 0,
      key: null,
      value: Buffer.from(text),
      headers: {},
    });
    let records = [record(0n, 'before')];
    for (;;) {
      if (opens(target)) records.push(record(5n, 'claim'), record(6n, 'behind'));
      yield { records, nextOffset: 1n, lastStableOffset: 1n, highWatermark: 9n };
      records = [];
    }
  }
  const seen: string[] = [];
  const claim: PartitionClaim = {
    partitions: PARTITIONS,
    record: { key: null, value: Buffer.from('claim') },
    isOwn: ({ value }) => String(value) === 'claim',
    onRecord: ({ value }) => seen.push(String(value)),
    hidden: (target, waitedMs) => new Error(`${partitionName(target)} hidden for ${waitedMs} ms`),
  };
  return { calls, client: { read }, producer, claim, seen };
}

test('claims are committed to all partitions before any is read, and each is read up to its own claim', async () => {
  const { calls, client, producer, claim, seen } = setUp(() => true);
  const claimed = await claimPartitions(client, producer, claim);
  assert.deepEqual(
    claimed,
    PARTITIONS.map((target) => ({ ...target, offset: 5n })),
  );
  assert.deepEqual(calls, ['begin', 'send t-0', 'send t-1', 'commit', 'read t-0', 'read t-1']);
  assert.deepEqual(seen, ['before', 'before']);
});

test('a claim that stays behind an open transaction is waited for a minute, then it is the caller’s error', async () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => (nowMs += 1000) };
  const { client, producer, claim } = setUp(({ partition }) => partition === 0);
  await assert.rejects(claimPartitions(client, producer, { ...claim, clock }), /^Error: t-1 hidden for 6\d000 ms$/);
});
