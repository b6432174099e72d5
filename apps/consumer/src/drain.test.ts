import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumedRecord, PartitionSlice, ReadOptions, TopicPartition } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { drained, type DrainOptions } from './drain.ts';

/** One partition with `r` for a record and `m` for a marker at each offset; those before `first` are deleted. */
function log(entries: string, first = 0n) {
  const state = { committed: 0n, reads: [] as bigint[] };
  const end = BigInt(entries.length);
  const client: DrainOptions['client'] = {
    admin: {
      offsets: async () => [{ partition: 0, first, end }],
      groupOffsets: async () => new Map([[0, state.committed]]),
    },
    async *read({ topic, partition }: TopicPartition, { from }: ReadOptions): AsyncGenerator<PartitionSlice, void> {
      assert.ok(typeof from === 'bigint' && from >= first, 'out of range');
      state.reads.push(from);
      const records = Array.from(entries).flatMap((kind, at): ConsumedRecord[] => {
        const offset = BigInt(at);
        const rest = { key: null, value: null, headers: {}, timestampMs: 0 };
        return kind === 'r' && offset >= from ? [{ topic, partition, offset, ...rest }] : [];
      });
      yield { records, nextOffset: end, lastStableOffset: end, highWatermark: end };
    },
  };
  const clock = new ManualClock();
  const { signal } = new AbortController();
  let done = false;
  const ended = drained({ client, groupIds: ['g'], topics: ['t'], signal }, clock).then(() => (done = true));
  return { state, clock, ended, isDone: () => done };
}

test('drained when the last record is committed, whatever markers follow; what is known is not read again', async () => {
  const { state, clock, ended, isDone } = log(`${'r'.repeat(20)}m`);
  await clock.advance(10_000);
  assert.deepEqual(state.reads, [13n], 'one look at the tail');
  state.committed = 19n;
  await clock.advance(5000);
  assert.equal(isDone(), false, 'one record is left');
  assert.equal(state.reads.length, 1);
  state.committed = 20n;
  await clock.advance(1000);
  await ended;
});

test('a record before a tail of markers alone is found', async () => {
  const { state, clock, ended, isDone } = log(`rr${'m'.repeat(20)}`);
  await clock.advance(5000);
  assert.equal(isDone(), false);
  assert.deepEqual(state.reads, [14n, 0n]);
  state.committed = 2n;
  await clock.advance(1000);
  await ended;
});

test('what was deleted before it was committed is neither read nor left', async () => {
  const { state, clock, ended, isDone } = log('r'.repeat(20), 18n);
  await clock.advance(5000);
  assert.equal(isDone(), false, 'two records are left');
  assert.deepEqual(state.reads, [18n]);
  state.committed = 20n;
  await clock.advance(1000);
  await ended;
});
