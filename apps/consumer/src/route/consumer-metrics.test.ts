import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkGate, type DeliveryOutcome } from '@genesys-kafka/delivery';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { createMetrics } from '@genesys-kafka/runtime';
import { EndOffsetCache } from '../group/end-offset-cache.ts';
import type { RouteGroup } from '../group/route-group.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';

const ends = { hidden: async () => 0 };
const lag = { of: async () => ({ records: 0, seconds: 0 }) };

test('what a hanging transaction hides shows as a gauge of its topic; a broker that does not answer, as no sample', async () => {
  using metrics = createMetrics();
  const silent = new Set(['silent']);
  const admin = {
    offsets: async () => [],
    async hidden(topic: string): Promise<ReadonlyMap<number, bigint>> {
      if (silent.has(topic)) throw new Error('no answer');
      return new Map([
        [0, 0n],
        [1, topic === 'main' ? 7n : 0n],
      ]);
    },
  };
  createConsumerMetrics(metrics, { ends: new EndOffsetCache(admin, new ManualClock()), lag }).watchTopics([
    'main',
    'retry-1',
    'silent',
  ]);
  const samples = async () => (await metrics.text()).match(/^genesys_kafka_consumer_hidden_offsets\{.*$/gm);
  assert.deepEqual(await samples(), [
    'genesys_kafka_consumer_hidden_offsets{topic="main"} 7',
    'genesys_kafka_consumer_hidden_offsets{topic="retry-1"} 0',
  ]);
  silent.add('retry-1');
  assert.deepEqual(
    await samples(),
    ['genesys_kafka_consumer_hidden_offsets{topic="main"} 7'],
    'not the last one either',
  );
});

test('lag in records and seconds is told for each route, and unknown is NaN, never none', async () => {
  using metrics = createMetrics();
  const lags = new Map([
    ['behind', { records: 7, seconds: 90.5 }],
    ['unknown', { records: Number.NaN, seconds: 3 }],
  ]);
  const watched = createConsumerMetrics(metrics, { ends, lag: { of: async (_, route) => lags.get(route)! } });
  for (const route of lags.keys())
    watched.watchGroup(route, { inFlight: { records: 0, bytes: 0 } } as unknown as RouteGroup);
  const samples = (await metrics.text()).match(/^genesys_kafka_consumer_lag_.*\{.*$/gm);
  assert.deepEqual(samples, [
    'genesys_kafka_consumer_lag_records{route="behind"} 7',
    'genesys_kafka_consumer_lag_records{route="unknown"} Nan',
    'genesys_kafka_consumer_lag_seconds{route="behind"} 90.5',
    'genesys_kafka_consumer_lag_seconds{route="unknown"} 3',
  ]);
});

test('a circuit that is not closed is told with its cause and its next probe, a 429 with the rate that it led to', async () => {
  using metrics = createMetrics();
  const clock = new ManualClock();
  const breaker = { errors: 0.5, over: 1, cooldownMs: 30_000, maxWaitMs: 300_000 };
  const gates = ['down', 'busy', 'well'].map(
    (sink) => [sink, new SinkGate({ concurrency: 1, breaker, clock })] as const,
  );
  const watched = createConsumerMetrics(metrics, { ends, lag });
  for (const [sink, gate] of gates) watched.watchGate(sink, gate);
  const answers: readonly DeliveryOutcome[] = [
    { kind: 'misconfigured', failure: { cause: 'http-401', reason: '' } },
    { kind: 'delivered' },
    { kind: 'delivered' },
  ];
  for (const [index, [, gate]] of gates.entries())
    await gate.run('normal', new AbortController().signal, async () => [answers[index]!]);
  const failure = { cause: 'http-429', reason: '', httpStatus: 429 };
  await gates[1]![1].run('normal', new AbortController().signal, async () => [{ kind: 'retry', failure }]);
  await clock.advance(10_000);
  watched.pausedIs('voice', true);
  const text = await metrics.text();
  assert.deepEqual(text.match(/^genesys_kafka_consumer_(circuit|adapted|route).*\{.*$/gm), [
    'genesys_kafka_consumer_circuit_state{sink="down"} 2',
    'genesys_kafka_consumer_circuit_state{sink="busy"} 0',
    'genesys_kafka_consumer_circuit_state{sink="well"} 0',
    'genesys_kafka_consumer_circuit_next_probe_seconds{sink="down"} 20',
    'genesys_kafka_consumer_circuit_next_probe_seconds{sink="busy"} 0',
    'genesys_kafka_consumer_circuit_next_probe_seconds{sink="well"} 0',
    'genesys_kafka_consumer_circuit_cause{sink="down",cause="http-401"} 1',
    'genesys_kafka_consumer_adapted_rate{sink="busy"} 8.5',
    'genesys_kafka_consumer_route_paused{route="voice"} 1',
  ]);
  for (const [, gate] of gates) gate.close();
});

test('records are counted by route and outcome, from 0 on, so that the first one is a rise; a scrape changes nothing', async () => {
  using metrics = createMetrics();
  const recorders = createConsumerMetrics(metrics, { ends, lag });
  const crm = recorders.forRoute('crm');
  const samples = async () =>
    (await metrics.text()).match(/^genesys_kafka_consumer_(records|retries|dead_letters|commit_failures)_total\{.*$/gm);
  assert.deepEqual(await samples(), [
    'genesys_kafka_consumer_records_total{route="crm",outcome="delivered"} 0',
    'genesys_kafka_consumer_records_total{route="crm",outcome="retried"} 0',
    'genesys_kafka_consumer_records_total{route="crm",outcome="dead-lettered"} 0',
    'genesys_kafka_consumer_records_total{route="crm",outcome="skipped"} 0',
    'genesys_kafka_consumer_records_total{route="crm",outcome="dropped"} 0',
    'genesys_kafka_consumer_commit_failures_total{route="crm"} 0',
  ]);
  crm.settled('delivered', 2);
  crm.settled('skipped');
  crm.retried(0);
  crm.deadLettered('http-422');
  const told = await samples();
  assert.deepEqual(told, [
    'genesys_kafka_consumer_records_total{route="crm",outcome="delivered"} 2',
    'genesys_kafka_consumer_records_total{route="crm",outcome="retried"} 1',
    'genesys_kafka_consumer_records_total{route="crm",outcome="dead-lettered"} 1',
    'genesys_kafka_consumer_records_total{route="crm",outcome="skipped"} 1',
    'genesys_kafka_consumer_records_total{route="crm",outcome="dropped"} 0',
    'genesys_kafka_consumer_retries_total{route="crm",tier="1"} 1',
    'genesys_kafka_consumer_dead_letters_total{route="crm",cause="http-422"} 1',
    'genesys_kafka_consumer_commit_failures_total{route="crm"} 0',
  ]);
  assert.deepEqual(await samples(), told);
});
