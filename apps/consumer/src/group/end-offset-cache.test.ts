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
