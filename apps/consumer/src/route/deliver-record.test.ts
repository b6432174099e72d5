import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batcher, SinkGate } from '@genesys-kafka/delivery';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { REPLAY_HEADER } from '@genesys-kafka/topics';
import type { Forwarder } from '../forward/forwarder.ts';
import { deliverRecord } from './deliver-record.ts';

test('a replayed dead letter waits among the replays, whatever the priority of its route; all others do not', async () => {
  const lanes: string[] = [];
  const batcher = (lane: string) =>
    ({
      deliver: async () => {
        lanes.push(lane);
        return { kind: 'delivered' };
      },
    }) as unknown as Batcher;
  const settle = deliverRecord({
    route: 'crm',
    batcher: batcher('live'),
    replays: batcher('replay'),
    gate: {} as unknown as SinkGate,
    policy: { tiersMs: [5000], maxAttempts: 2 },
    blocking: false,
    forwarder: {} as unknown as Forwarder,
    clock: new ManualClock(),
    onDelivered: () => undefined,
  });
  const never = new AbortController().signal;
  const signals = { stopping: never, signal: never, whileWaiting: async <T>(wait: () => Promise<T>) => wait() };
  const origin = { topic: 'd', partition: 0, offset: 7n };
  const state = { attempt: 1, notBeforeMs: 0, origin, recordVersion: 7n, picked: true };
  const body = Buffer.from('{}');
  for (const headers of [{}, { [REPLAY_HEADER.replayOf]: Buffer.from('d/0/7/crm/1') }]) {
    const record = { ...origin, timestampMs: 0, key: null, value: body, headers };
    await settle({ record, state, value: { kind: 'record', body, contentType: 'application/json' } }, signals);
  }
  assert.deepEqual(lanes, ['live', 'replay']);
});
