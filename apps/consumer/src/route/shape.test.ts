import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batcher, SinkGate, type Delivery, type DeliveryOutcome } from '@genesys-kafka/delivery';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { planRoutes } from '@genesys-kafka/routing';
import type { Forwarder, GivenUp } from '../forward/forwarder.ts';
import type { PickedRecord } from '../group/settle.ts';
import { deliverRecord } from './deliver-record.ts';
import { shapeOf } from './shape.ts';

const never = new AbortController().signal;
const signals = { stopping: never, signal: never, whileWaiting: async <T>(wait: () => Promise<T>) => wait() };
const ok: DeliveryOutcome = { kind: 'delivered' };
const busy: DeliveryOutcome = { kind: 'retry', failure: { cause: 'http-503', reason: 'busy', httpStatus: 503 } };

/** A route over a real gate, whose sink answers from a script; what is moved on is kept. */
function setUp(reshape: object | undefined, answers: DeliveryOutcome[]) {
  const routes = [
    { name: 'crm', sink: 's', priority: 'normal' as const, retry: {}, reshape: reshape && { headers: {}, ...reshape } },
  ];
  const retry = { tiersMs: [5000], attempts: 1, blocking: false };
  const plan = planRoutes({ connector: 'c', kafka: { topicPrefix: 'g.' }, routes, retry })[0]!;
  const clock = new ManualClock();
  const breaker = { errors: 1, over: 100, cooldownMs: 30_000, maxWaitMs: 300_000 };
  const gate = new SinkGate({ concurrency: 1, breaker, clock });
  const deliveries: Delivery[] = [];
  const sink = {
    batch: { records: 1, bytes: Infinity, ageMs: 0 },
    deliver: async (batch: readonly Delivery[]) => {
      deliveries.push(...batch);
      return batch.map(() => answers.shift() ?? ok);
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const retried: Buffer[] = [];
  const letters: GivenUp[] = [];
  const forwarder = {
    retry: async ({ value }: PickedRecord['record']) => void retried.push(value!),
    deadLetter: async (_record: unknown, _origin: unknown, why: GivenUp) => void letters.push(why),
  } as unknown as Forwarder;
  const batcherOf = (lane: 'normal' | 'replay') => new Batcher({ sink, gate, lane, clock, onAnswer: () => undefined });
  const settle = deliverRecord({
    route: 'crm',
    batcher: batcherOf('normal'),
    replays: batcherOf('replay'),
    gate,
    policy: plan.policy,
    blocking: false,
    ...(plan.reshape && { reshape: (picked: PickedRecord) => shapeOf(plan, picked) }),
    forwarder,
    clock,
    onDelivered: () => undefined,
  });
  const deliver = async (text: string) => {
    const body = Buffer.from(text);
    const origin = { topic: 'd', partition: 0, offset: 7n };
    const headers = { 'source-id': Buffer.from('job-1'), ordinal: Buffer.from('7'), change: Buffer.from('new') };
    const record = { ...origin, timestampMs: 0, key: Buffer.from('c1'), value: body, headers };
    const state = { attempt: 1, notBeforeMs: 0, origin, recordVersion: 7n, picked: false };
    await settle({ record, state, value: { kind: 'record', body, contentType: 'application/json' } }, signals);
    return body;
  };
  return { deliver, deliveries, retried, letters };
}

test('a reshaped record goes out in its new shape, with the same identity; what is retried is the record itself', async () => {
  const reshape = {
    body: '{"id": record.conversationId, "change": headers["change"]}',
    key: '"k-" + record.conversationId',
    headers: { 'x-n': 'record.n' },
  };
  const { deliver, deliveries, retried } = setUp(reshape, [ok, busy]);
  await deliver('{"conversationId":"c1","n":1}');
  const value = await deliver('{"conversationId":"c1","n":1}');
  const told = deliveries.map((one) => [one.body.toString(), one.key, one.shapedHeaders, one.idempotencyKey]);
  assert.deepEqual(told, Array(2).fill(['{"id":"c1","change":"new"}', 'k-c1', { 'x-n': '1' }, 'job-1:7']));
  assert.deepEqual(retried, [value]);
});

test('an expression that fails on one record makes a dead letter of that one alone', async () => {
  const { deliver, deliveries, letters } = setUp({ body: '{"q": record.queue}' }, []);
  await deliver('{"conversationId":"c1"}');
  await deliver('{"queue":"sales"}');
  assert.deepEqual(
    deliveries.map(({ body }) => body.toString()),
    ['{"q":"sales"}'],
  );
  assert.deepEqual(letters, [
    { stage: 'route', cause: 'reshape-error', reason: 'body: no such key at column 14', attempts: 0 },
  ]);
});

test('a route without reshape delivers the very bytes of the record, unparsed', async () => {
  const { deliver, deliveries } = setUp(undefined, []);
  const body = await deliver('{ not even JSON');
  assert.equal(deliveries[0]!.body, body);
  assert.equal(deliveries[0]!.shapedHeaders, undefined);
});
