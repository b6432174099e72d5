import assert from 'node:assert/strict';
import { test } from 'node:test';
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
