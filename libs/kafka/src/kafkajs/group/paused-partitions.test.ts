import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { PausedPartitions } from './paused-partitions.ts';

test('a resume is expected of what was paused a moment ago, and of nothing else', async () => {
  const clock = new ManualClock();
  const paused = new PausedPartitions(clock);
  assert.equal(paused.soon, undefined);
  paused.paused('t-0');
  await clock.advance(900);
  // Again, by another reason: it has been paused since before.
  paused.paused('t-0');
  assert.ok(paused.soon);
  await clock.advance(100);
  assert.equal(paused.soon, undefined);
  paused.paused('t-1');
  assert.ok(paused.soon);
  paused.resumed('t-1');
  assert.equal(paused.soon, undefined);
});

test('any resume ends the wait, once: whoever asks after it waits for the next one', async () => {
  const paused = new PausedPartitions(new ManualClock());
  paused.paused('t-0');
  paused.paused('t-1');
  const { soon } = paused;
  paused.resumed('t-1');
  await soon;
  let isOver = false;
  const next = paused.soon!.then(() => (isOver = true));
  // It was not paused: nothing that could be fetched now is left out.
  paused.resumed('t-1');
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  paused.resumed('t-0');
  await next;
});
