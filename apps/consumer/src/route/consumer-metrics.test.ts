import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { createMetrics } from '@genesys-kafka/runtime';
import { EndOffsetCache } from '../group/end-offset-cache.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';

test('what a hanging transaction hides shows as a gauge of its topic; a broker that does not answer, as no sample', async () => {
  using metrics = createMetrics();
  const admin = {
    offsets: async () => [],
    async hidden(topic: string): Promise<ReadonlyMap<number, bigint>> {
      if (topic === 'silent') throw new Error('no answer');
      return new Map([
        [0, 0n],
        [1, topic === 'main' ? 7n : 0n],
      ]);
    },
  };
  const ends = new EndOffsetCache(admin, new ManualClock());
  createConsumerMetrics(metrics, ends).watchTopics(['main', 'retry-1', 'silent']);
  const samples = (await metrics.text()).match(/^genesys_kafka_consumer_hidden_offsets\{.*$/gm);
  assert.deepEqual(samples, [
    'genesys_kafka_consumer_hidden_offsets{topic="main"} 7',
    'genesys_kafka_consumer_hidden_offsets{topic="retry-1"} 0',
  ]);
});
