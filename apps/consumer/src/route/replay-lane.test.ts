import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkGate, type Lane } from '@genesys-kafka/delivery';
import type { RoutePlan } from '@genesys-kafka/routing';
import { createMetrics } from '@genesys-kafka/runtime';
import { S3Sink } from '@genesys-kafka/sinks';
import { formatRetryHeaders, frame, topicSpecs } from '@genesys-kafka/topics';
import { routeContext } from '../../fixtures/route-context.ts';
import { KafkaSink } from '../exact/kafka-sink.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import type { OpenSink, OpenSinks } from './open-sinks.ts';
import { workingRoutes } from './routes.ts';

const batch = { records: 1, bytes: 1 << 20, ageMs: 0 };
const objects = new S3Sink({
  ...{ endpoint: 'e', bucket: 'b', prefix: '', batch },
  connect: () => assert.fail('nothing is sent'),
});
const topic = new KafkaSink({
  ...{ name: 'x', client: {} as never, topic: 'other', frame: 'keep', batch, compression: 'none' },
  ...{ isOwnCluster: false, ownTopics: [], transactionalIds: [], positions: topicSpecs({ prefix: 'g.' }).positions },
});

for (const [what, sink] of [
  ['objects', { kind: 'objects', sink: objects }],
  ['another topic', { kind: 'topic', sink: topic }],
] as const) {
  test(`replays wait in a lane of their own on the way to ${what} too, and everything else in that of its route`, async () => {
    using prometheus = createMetrics();
    const metrics = createConsumerMetrics(prometheus, {
      ends: { hidden: async () => 0 },
      lag: { of: async () => ({ records: 0, seconds: 0 }) },
    });
    const lanes: Lane[] = [];
    const gate = new SinkGate({ concurrency: 1, breaker: { errors: 1, over: 1, cooldownMs: 1000, maxWaitMs: 1000 } });
    // Nothing is sent.
    gate.run = async (lane) => {
      lanes.push(lane);
      return Promise.resolve([{ kind: 'delivered' }]);
    };
    const policy = { tiersMs: [1000], maxAttempts: 2 };
    const plan = { name: 'all', groupId: 'g', rule: undefined, sink: 'x', priority: 'high', policy, blocking: false };
    const byName = new Map([['x', { ...sink, gate } satisfies OpenSink]]);
    const sinks: OpenSinks = { byName, [Symbol.asyncDispose]: async () => undefined };
    const [all] = workingRoutes([plan as RoutePlan], sinks, metrics, routeContext());
    const origin = { topic: 't', partition: 0, offset: 3n };
    const state = { attempt: 1, notBeforeMs: 0, cause: 'http-422', origin, recordVersion: 3n };
    const texts = Object.entries(formatRetryHeaders({ route: 'all', group: 'g', ...state }));
    const headers = Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text)]));
    for (const from of ['t', 't.replay']) {
      const target = { topic: from, partition: 0 };
      const hooks = { onChange: () => undefined, onFailure: (error: unknown) => assert.ifError(error) };
      const flow = all!.flowOf(target, { ...hooks, commit: async () => true });
      await flow.begin(0n, async () => undefined);
      const value = frame(1, Buffer.from('{"conversationId":"c"}'));
      const record = { ...target, offset: 0n, timestampMs: 0, key: Buffer.from('c'), value, headers };
      const asked = lanes.length;
      flow.accept({ ...target, from: 0n, outOfRange: false, unwanted: 0, records: [record], nextOffset: 1n });
      while (lanes.length === asked) await new Promise((resolve) => setImmediate(resolve));
      await flow.stop(1000);
    }
    assert.deepEqual(lanes, ['high', 'replay']);
  });
}
