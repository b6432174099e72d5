import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { HeartbeatInterval } from './heartbeat-interval.ts';

test('a heartbeat is due by the time that has passed, not by a clock that is set', async () => {
  const clock = new ManualClock();
  const interval = new HeartbeatInterval(2000, clock);
  const lastRequestMs = clock.nowMs();
  // As kafkajs asks.
  const isDue = () => clock.nowMs() >= lastRequestMs + (interval as unknown as number);
  assert.equal(isDue(), true);
  interval.beaten();
  assert.equal(interval.silentMs, 0);
  for (const ms of [-3_600_000, 7_200_000]) {
    clock.jump(ms);
    assert.equal(isDue(), false);
    await clock.advance(1999);
    assert.equal(isDue(), false);
    await clock.advance(1);
    assert.equal(isDue(), true);
    assert.equal(interval.silentMs, 2000);
    interval.beaten();
  }
});
