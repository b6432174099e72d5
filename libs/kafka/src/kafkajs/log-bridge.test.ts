import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { Kafka } from 'kafkajs';
import { bridgeLogs } from './log-bridge.ts';

test('kafkajs’s log reaches ours as warnings, without stacks, payloads and debug lines', () => {
  const lines: unknown[] = [];
  const kafka = new Kafka({
    brokers: ['x:1'],
    ...bridgeLogs((level, message, details) => lines.push([level, message, details])),
  });
  const logger = kafka.logger().namespace('Producer');
  logger.debug('Response SaslAuthenticate', { data: 'secret' });
  logger.info('Starting');
  logger.warn('Limiting retries for the idempotent producer may invalidate EoS guarantees');
  logger.error('Response Produce(key: 0, version: 7)', { error: 'timed out', broker: 'x:1', payload: 'secret' });
  logger.error('Crash: KafkaJSError: gone', {
    groupId: 'g',
    stack: 'Error: at secret place',
    error: new Error('gone'),
  });
  assert.deepEqual(lines, [
    [
      'debug',
      'kafkajs: Response Produce(key: 0, version: 7)',
      { source: 'Producer', error: 'timed out', broker: 'x:1' },
    ],
    ['warn', 'kafkajs: Crash: KafkaJSError: gone', { source: 'Producer', groupId: 'g', error: 'gone' }],
  ]);
});

test('a warning that comes again and again is told every 30 s, with how often it came; each other one at once', async () => {
  const lines: unknown[] = [];
  const clock = new ManualClock();
  const bridged = bridgeLogs((_, message, details) => lines.push([message, details.broker, details.repeated]), clock);
  // Each group has a client of its own, and all of them meet the same.
  const [one, other] = [1, 2].map(() => new Kafka({ brokers: ['x:1'], ...bridged }).logger().namespace('Connection'));
  for (let second = 0; second < 31; second += 1) {
    for (const logger of [one!, other!]) logger.error('Connection error: refused', { broker: 'x:1' });
    await clock.advance(1000);
  }
  one!.error('Connection error: refused', { broker: 'y:1' });
  await clock.advance(30_000);
  one!.error('Connection error: refused', { broker: 'y:1' });
  assert.deepEqual(lines, [
    ['kafkajs: Connection error: refused', 'x:1', undefined],
    ['kafkajs: Connection error: refused', 'x:1', 59],
    ['kafkajs: Connection error: refused', 'y:1', undefined],
    ['kafkajs: Connection error: refused', 'y:1', undefined],
  ]);
});
