import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { SinkGate, type Sink } from '@genesys-kafka/delivery';
import { KafkaError, type ConsumedRecord } from '@genesys-kafka/kafka';
import type { RoutePlan } from '@genesys-kafka/routing';
import { createLogger, createMetrics } from '@genesys-kafka/runtime';
import { frame } from '@genesys-kafka/topics';
import { routeContext } from '../../fixtures/route-context.ts';
import type { MovedRecord, TopicWriter } from '../forward/topic-writer.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import type { OpenSinks } from './open-sinks.ts';
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
  const sinks = { byName: new Map(), [Symbol.asyncDispose]: async () => undefined };
  const context = routeContext({
    writer,
    log: createLogger({ name: 'test', level: 'warn', destination }),
    limits: { maxRecords: 1, maxBytes: 1 },
  });
  const [unrouted] = workingRoutes([], sinks, metrics, context);
  const value = frame(1, Buffer.from('{"conversationId":"c"}'));
  const record = { topic: 't', partition: 0, offset: 7n, timestampMs: 0, key: null, value, headers: {} };
  const hooks = {
    onChange: () => undefined,
    onFailure: (error: unknown) => assert.ifError(error),
    commit: async () => true,
  };
  const flow = unrouted!.flowOf(record, hooks);
  await flow.begin(7n, async () => undefined);
  flow.accept({
    ...record,
    from: 7n,
    outOfRange: false,
    unwanted: 0,
    records: [record satisfies ConsumedRecord],
    nextOffset: 8n,
  });
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

test('a batch that cannot become larger goes: a full partition does not wait for its age', async () => {
  using prometheus = createMetrics();
  const metrics = createConsumerMetrics(prometheus, {
    ends: { hidden: async () => 0 },
    lag: { of: async () => ({ records: 0, seconds: 0 }) },
  });
  const batches: number[] = [];
  const sink: Sink = {
    batch: { records: 100, bytes: 1 << 20, ageMs: 3_600_000 },
    deliver: async (records) => {
      batches.push(records.length);
      return records.map(() => ({ kind: 'delivered' }));
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const gate = new SinkGate({ concurrency: 1, breaker: { errors: 1, over: 1, cooldownMs: 1000, maxWaitMs: 1000 } });
  const policy = { tiersMs: [1000], maxAttempts: 2 };
  const plan = { name: 'all', groupId: 'g', rule: undefined, sink: 'x', priority: 'normal', policy, blocking: false };
  const byName = new Map([['x', { kind: 'records', sink, gate }]]) as OpenSinks['byName'];
  const sinks = { byName, [Symbol.asyncDispose]: async () => undefined };
  const context = routeContext();
  const [all, unrouted] = workingRoutes([plan as RoutePlan], sinks, metrics, context);
  assert.equal(all!.wants, undefined);
  const wants = (topic: string, bytes: Buffer, valueTo = bytes.length) =>
    unrouted!.wants!(topic, { bytes, valueFrom: 0, valueTo, keyFrom: 0, keyTo: -1, offset: 0n });
  const plain = frame(1, Buffer.from('{}'));
  assert.equal(wants('t', plain), false, 'a route without a rule takes it');
  assert.equal(wants('t', Buffer.from('no frame')), true, 'nobody else keeps it');
  assert.equal(wants('t', plain, -1), true, 'it has no value');
  assert.equal(wants('t.retry-1', plain), true, 'it may be of a route that is no more');
  const ruled = { ...plan, rule: () => ({ matched: false }) } as unknown as RoutePlan;
  assert.equal(workingRoutes([ruled], sinks, metrics, context)[1]!.wants, undefined, 'each is to be looked at');
  const target = { topic: 't', partition: 0 };
  const flow = all!.flowOf(target, {
    onChange: () => undefined,
    onFailure: (error) => assert.ifError(error),
    commit: async () => true,
  });
  await flow.begin(0n, async () => undefined);
  const records = [0, 1, 2, 3, 4, 5].map((offset) => ({
    ...target,
    offset: BigInt(offset),
    timestampMs: 0,
    key: Buffer.from(`c-${offset % 5}`),
    value: frame(1, Buffer.from(`{"conversationId":"c-${offset % 5}"}`)),
    headers: {},
  }));
  flow.accept({ ...target, from: 0n, outOfRange: false, unwanted: 0, records: records.slice(0, 4), nextOffset: 4n });
  while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(batches, [4]);
  await flow.stop(1000);
});
