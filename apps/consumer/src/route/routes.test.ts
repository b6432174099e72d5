import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { KafkaError, type ConsumedRecord } from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { createLogger, createMetrics } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { frame, RecordReader } from '@genesys-kafka/topics';
import type { MovedRecord, TopicWriter } from '../forward/topic-writer.ts';
import { SETTINGS } from '../settings.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import { workingRoutes } from './routes.ts';

test('a dead letter of any route is told, and so is a topic that takes a record only without its value', async () => {
  using prometheus = createMetrics();
  const metrics = createConsumerMetrics(prometheus, {
    ends: { hidden: async () => 0 },
    lag: { of: async () => ({ records: 0, seconds: 0 }) },
  });
  const destination = new PassThrough();
  const appended: MovedRecord[] = [];
  const writer = {
    append: async (_target: unknown, record: MovedRecord) => {
      appended.push(record);
      if (record.value !== null) throw new KafkaError('message-too-large', 'It is too large.');
    },
  } as unknown as TopicWriter;
  const [unrouted] = workingRoutes([], { byName: new Map(), [Symbol.asyncDispose]: async () => undefined }, metrics, {
    settings: loadSettings(SETTINGS, { env: {} }),
    topics: { main: 't', retries: [], deadLetters: { topic: 't.dlt', partitions: 1 } },
    writer,
    reader: new RecordReader(undefined),
    log: createLogger({ name: 'test', level: 'warn', destination }),
    clock: systemClock,
    topicIds: new Map(),
    limits: { maxRecords: 1, maxBytes: 1 },
    draining: false,
    acceptChanges: false,
  });
  const value = frame(1, Buffer.from('{"conversationId":"c"}'));
  const record = { topic: 't', partition: 0, offset: 7n, timestampMs: 0, key: null, value, headers: {} };
  const hooks = {
    onChange: () => undefined,
    onFailure: (error: unknown) => assert.ifError(error),
    commit: async () => true,
  };
  const flow = unrouted!.flowOf(record, hooks);
  await flow.begin(7n, async () => undefined);
  flow.accept({ ...record, from: 7n, outOfRange: false, records: [record satisfies ConsumedRecord], nextOffset: 8n });
  await flow.stop(1000);
  assert.deepEqual(
    appended.map((one) => one.value?.length),
    [value.length, undefined],
  );
  const lines = String(destination.read()).trim().split('\n');
  const told = lines.map((line) => {
    const { level, code, cause } = JSON.parse(line) as Record<string, unknown>;
    return [level, code ?? cause];
  });
  assert.deepEqual(told, [
    ['error', 'message-too-large'],
    ['warn', 'unrouted'],
  ]);
});
