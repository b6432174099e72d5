import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '@genesys-kafka/kafka';
import { OperationalError } from '@genesys-kafka/resilience';
import { LaneHealth } from './lane-health.ts';

const MINUTE_MS = 60_000;
const REFUSED = new KafkaError('authorization-failed', 'Refused.');
const AWAY = new KafkaError('broker-unreachable', 'Away.');
const busy = () => true;
const idle = () => false;

test('a lane has a minute to be claimed, at first and each time that it is let go; held it is well', () => {
  const health = new LaneHealth(0);
  assert.equal(health.trouble(MINUTE_MS), undefined);
  assert.equal(health.trouble(MINUTE_MS + 1), 'cannot be claimed');
  health.held(2 * MINUTE_MS, idle);
  assert.equal(health.trouble(2 * MINUTE_MS), undefined);
  health.released(4 * MINUTE_MS);
  assert.equal(health.trouble(5 * MINUTE_MS), undefined);
  assert.equal(health.trouble(5 * MINUTE_MS + 1), 'cannot be claimed');
});

test('one that is refused is in trouble at once, claimed again or not, until something of it is published', () => {
  const health = new LaneHealth(0);
  for (let round = 0; round < 10; round += 1) {
    const atMs = round * 30_000;
    health.held(atMs, busy);
    health.released(atMs + 10_000);
    health.lost(REFUSED);
    assert.equal(health.trouble(atMs + 10_000), 'is lost for authorization-failed');
  }
  assert.equal(health.losses, 10);
  health.held(20 * MINUTE_MS, busy);
  // A job may be waited for, for hours, before anything is published.
  assert.equal(health.trouble(200 * MINUTE_MS), 'is lost for authorization-failed');
  health.published();
  assert.equal(health.trouble(200 * MINUTE_MS), undefined);
  assert.equal(health.losses, 0);
});

test('one that was refused and has nothing left to do is well once it is held for a minute', () => {
  const health = new LaneHealth(0);
  health.released(0);
  health.lost(REFUSED);
  health.held(MINUTE_MS, idle);
  assert.equal(health.trouble(2 * MINUTE_MS), 'is lost for authorization-failed');
  assert.equal(health.trouble(2 * MINUTE_MS + 1), undefined);
});

test('brokers that are away for a moment, and another holder, are no trouble; lost again and again for a minute is', () => {
  for (const [error, told] of [
    [AWAY, 'is lost for broker-unreachable'],
    [new OperationalError('taken-over', 'By another.'), undefined],
  ] as const) {
    const health = new LaneHealth(0);
    for (let round = 0; round <= 4; round += 1) {
      const atMs = round * 20_000;
      health.held(atMs, busy);
      health.released(atMs + 5000);
      health.lost(error);
      health.held(atMs + 15_000, busy);
      assert.equal(health.trouble(atMs + 15_000), round < 3 ? undefined : told, `round ${round}`);
    }
  }
});
