import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { EndOffsetCache } from './end-offset-cache.ts';

test('while the broker does not answer, what it said last counts; before it ever answered nobody knows', async () => {
  const clock = new ManualClock();
  let isAway = true;
  const admin = {
    offsets: async () => {
      if (isAway) throw new Error('away');
      return [{ partition: 0, first: 0n, end: 7n }];
    },
  };
  const ends = new EndOffsetCache({ ...admin, hidden: async () => new Map() }, clock);
  assert.equal(await ends.of('t'), undefined);
  isAway = false;
  await clock.advance(5000);
  assert.deepEqual(await ends.of('t'), new Map([[0, 7n]]));
  isAway = true;
  await clock.advance(5000);
  assert.deepEqual(await ends.of('t'), new Map([[0, 7n]]));
});

test('a broker that takes its time holds up nobody: what it said last counts until it answers, and hidden offsets are unknown', async () => {
  const clock = new ManualClock();
  let answer = Promise.withResolvers<{ partition: number; first: bigint; end: bigint }[]>();
  let asked = 0;
  const admin = {
    offsets: async () => {
      asked += 1;
      return answer.promise;
    },
    hidden: () => new Promise<Map<number, bigint>>(() => undefined),
  };
  const ends = new EndOffsetCache(admin, clock);
  /** All that wait are woken. */
  const late = async <T>(question: Promise<T>) => {
    await clock.advance(2000);
    return question;
  };
  assert.equal(await late(ends.of('t')), undefined);
  assert.equal(await ends.of('t'), undefined, 'the next one does not wait too');
  assert.equal(await late(ends.hidden('t')), undefined);
  answer.resolve([{ partition: 0, first: 0n, end: 7n }]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await ends.of('t'), new Map([[0, 7n]]), 'it has come meanwhile');
  answer = Promise.withResolvers();
  await clock.advance(5000);
  assert.deepEqual(await late(ends.of('t')), new Map([[0, 7n]]));
  await clock.advance(5000);
  assert.deepEqual(await late(ends.of('t')), new Map([[0, 7n]]));
  assert.equal(asked, 2, 'nobody asks again while an answer is awaited');
  assert.equal(clock.sleeping, 0);
});
