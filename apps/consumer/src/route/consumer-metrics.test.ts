import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { createMetrics } from '@genesys-kafka/runtime';
import { EndOffsetCache } from '../group/end-offset-cache.ts';
import type { RouteGroup } from '../group/route-group.ts';
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

test('lag counts to the last stable offset, over all partitions of a route; unknown is NaN, never none', async () => {
  using metrics = createMetrics();
  const stable = new Map([
    ['main', [10n, 20n]],
    ['retry-1', [5n]],
  ]);
  const admin = {
    async offsets(topic: string) {
      const ends = stable.get(topic);
      if (!ends) throw new Error('no answer');
      return ends.map((end, partition) => ({ partition, first: 0n, end }));
    },
    // What lies behind an open transaction is not to be delivered yet.
    hidden: async () => new Map([[0, 1000n]]),
  };
  const watched = createConsumerMetrics(metrics, new EndOffsetCache(admin, new ManualClock()));
  const at = (...places: readonly (readonly [topic: string, partition: number, position: bigint])[]) => {
    const positions = places.map(([topic, partition, position]) => ({ topic, partition, position }));
    return { positions, inFlight: { records: 0, bytes: 0 } } as unknown as RouteGroup;
  };
  watched.watchGroup('behind', at(['main', 0, 7n], ['main', 1, 20n], ['retry-1', 0, 1n]));
  // Its broker was asked a moment before the record came that it has delivered since.
  watched.watchGroup('level', at(['main', 0, 11n]));
  watched.watchGroup('unknown', at(['main', 0, 10n], ['silent', 0, 3n]));
  const samples = (await metrics.text()).match(/^genesys_kafka_consumer_lag_records\{.*$/gm);
  assert.deepEqual(samples, [
    'genesys_kafka_consumer_lag_records{route="behind"} 7',
    'genesys_kafka_consumer_lag_records{route="level"} 0',
    'genesys_kafka_consumer_lag_records{route="unknown"} Nan',
  ]);
});

test('records are counted by route and outcome, and a scrape changes nothing', async () => {
  using metrics = createMetrics();
  const admin = { offsets: async () => [], hidden: async () => new Map<number, bigint>() };
  const recorders = createConsumerMetrics(metrics, new EndOffsetCache(admin, new ManualClock()));
  const crm = recorders.forRoute('crm');
  recorders.forRoute('idle');
  crm.settled('delivered');
  crm.settled('delivered');
  crm.settled('skipped');
  crm.retried(0);
  crm.deadLettered('http-422');
  const samples = async () =>
    (await metrics.text()).match(/^genesys_kafka_consumer_(records|retries|dead_letters)_total\{.*$/gm);
  const told = await samples();
  assert.deepEqual(told, [
    'genesys_kafka_consumer_records_total{route="crm",outcome="delivered"} 2',
    'genesys_kafka_consumer_records_total{route="crm",outcome="retried"} 1',
    'genesys_kafka_consumer_records_total{route="crm",outcome="dead-lettered"} 1',
    'genesys_kafka_consumer_records_total{route="crm",outcome="skipped"} 1',
    'genesys_kafka_consumer_retries_total{route="crm",tier="1"} 1',
    'genesys_kafka_consumer_dead_letters_total{route="crm",cause="http-422"} 1',
  ]);
  assert.deepEqual(await samples(), told);
});
