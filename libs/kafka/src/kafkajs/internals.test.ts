import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { replaceFetch } from './internals.ts';

const PATIENCE = { retries: 1_000_000, initialRetryTime: 20, maxRetryTime: 20 };

test('a group that is stopped makes no more connections', { timeout: 20_000 }, async () => {
  // Nobody listens there.
  const client = new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], retry: PATIENCE, logLevel: kafkajs.logLevel.NOTHING });
  const cluster = replaceFetch(client, () => assert.fail('nothing is fetched'));
  const group = client.consumer({ groupId: 'g', retry: PATIENCE });
  const connecting = assert.rejects(group.connect(), /has been stopped/);
  cluster.endConnecting();
  await connecting;
  await assert.rejects(group.connect(), /has been stopped/);
});
