import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  KafkaError,
  type ConsumedRecord,
  type PartitionSlice,
  type ReadOptions,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { noteWithTopicId } from './commit-note.ts';
import { drained, untilHeldUpForGood, type DrainOptions } from './drain.ts';

/**
 * One partition with `r` for a record and `m` for a marker at each offset; those before `first` are deleted, those from
 * `state.stable` on belong to a transaction that is open.
 */
function log(entries: string, first = 0n) {
  const highWatermark = BigInt(entries.length);
  const state = { committed: 0n, keptId: 'one', reads: [] as bigint[], stable: highWatermark, isAway: false };
  const client: DrainOptions['client'] = {
    admin: {
      offsets: async () => {
        if (state.isAway) throw new KafkaError('broker-unreachable', 'Nobody is there.');
        return [{ partition: 0, first, end: state.stable }];
      },
      groupCommits: async () => new Map([[0, { offset: state.committed, note: noteWithTopicId('', state.keptId) }]]),
      topicId: async () => 'one',
    },
    async *read({ topic, partition }: TopicPartition, { from }: ReadOptions): AsyncGenerator<PartitionSlice, void> {
      assert.ok(typeof from === 'bigint' && from >= first, 'out of range');
      if (from < state.stable) state.reads.push(from);
      const records = Array.from(entries.slice(0, Number(state.stable))).flatMap((kind, at): ConsumedRecord[] => {
        const offset = BigInt(at);
        const rest = { key: null, value: null, headers: {}, timestampMs: 0 };
        return kind === 'r' && offset >= from ? [{ topic, partition, offset, ...rest }] : [];
      });
      yield { records, nextOffset: state.stable, lastStableOffset: state.stable, highWatermark };
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

test('what was committed in an earlier topic of that name does not count', async () => {
  const { state, clock, ended, isDone } = log('rr');
  Object.assign(state, { committed: 2n, keptId: 'zero' });
  await clock.advance(5000);
  assert.equal(isDone(), false);
  state.keptId = 'one';
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

test('a place behind the log’s end proves nothing: the topic was made anew', async () => {
  const { state, clock, isDone } = log('r'.repeat(400));
  state.committed = 700n;
  await clock.advance(20_000);
  assert.equal(isDone(), false);
});

test('what a transaction holds back is left until it ends', async () => {
  const { state, clock, ended, isDone } = log('rrrm');
  state.stable = 1n;
  state.committed = 1n;
  await clock.advance(50_000);
  assert.equal(isDone(), false, 'two records are not visible yet');
  state.stable = 4n;
  await clock.advance(5000);
  assert.equal(isDone(), false, 'two records are left');
  state.committed = 3n;
  await clock.advance(1000);
  await ended;
});

test('a transaction that nobody ends is an error, not a quiet success', async () => {
  const { state, clock, ended } = log('rr');
  state.stable = 1n;
  state.committed = 1n;
  const rejected = assert.rejects(ended, { code: 'transaction-open', message: /open in t-0 for more than 60 s/ });
  await clock.advance(62_000);
  await rejected;
});

test('brokers that are away are waited for, and end a drain with what they fail with after five minutes without an answer', async () => {
  const { state, clock, ended, isDone } = log('rr');
  const rejected = assert.rejects(ended, { code: 'broker-unreachable' });
  for (let times = 0; times < 2; times += 1) {
    state.isAway = true;
    await clock.advance(299_000);
    state.isAway = false;
    await clock.advance(1000);
  }
  assert.equal(isDone(), false);
  state.isAway = true;
  await clock.advance(301_000);
  await rejected;
});

test('what keeps records waiting for five minutes on end holds up a drain for good, and says why', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const registry: { notReady: string | undefined } = { notReady: undefined };
  const ended = untilHeldUpForGood([{ notReady: undefined }, registry], clock, stop.signal);
  const rejected = assert.rejects(ended, {
    code: 'drain-held-up',
    message: /^For 5 minutes now the registry says nothing\. /,
  });
  let isOver = false;
  rejected.then(() => (isOver = true)).catch(() => undefined);
  for (let times = 0; times < 2; times += 1) {
    registry.notReady = 'the registry says nothing';
    await clock.advance(299_000);
    registry.notReady = undefined;
    await clock.advance(1000);
  }
  registry.notReady = 'the registry says nothing';
  await clock.advance(299_000);
  assert.equal(isOver, false, 'it came back in between');
  await clock.advance(2000);
  await rejected;
});

test('a drain that is over is held up by nothing any more', async () => {
  const stop = new AbortController();
  const clock = new ManualClock();
  const ended = untilHeldUpForGood([{ notReady: 'for ever' }], clock, stop.signal);
  stop.abort(new Error('over'));
  await assert.rejects(ended, /^Error: over$/);
  assert.equal(clock.sleeping, 0);
});
