import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { SinkGate, type DeliveryOutcome } from '@genesys-kafka/delivery';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { createLogger } from '@genesys-kafka/runtime';
import { createSink, type SinkConfig } from '@genesys-kafka/sinks';
import { ConsumerError } from '../errors.ts';
import type { OpenSink, OpenSinks } from './open-sinks.ts';
import { checkSinks, untilAwayForGood, untilRefusedForGood } from './sink-refusals.ts';

const never = new AbortController().signal;

function opened(config: SinkConfig, cooldownMs = 1000) {
  const clock = new ManualClock();
  const breaker = { errors: 0.5, over: 4, cooldownMs, maxWaitMs: 60_000 };
  const gate = new SinkGate({ concurrency: 1, breaker, clock });
  const sinks: OpenSinks = {
    byName: new Map([['crm', { kind: 'records', sink: createSink(config), gate }]]),
    [Symbol.asyncDispose]: async () => gate.close(),
  };
  return { clock, gate, sinks };
}

test('a drain into a sink that refuses us for good ends with its reason, and not at the first odd answer', async () => {
  const { clock, gate, sinks } = opened({ type: 'file', path: '/tmp/unused.ndjson' });
  const login = { cause: 'http-401', reason: 'the target refuses our credentials (401)', httpStatus: 401 };
  const refused: DeliveryOutcome = { kind: 'misconfigured', failure: login };
  const ends: unknown[] = [];
  untilRefusedForGood(sinks, clock).catch((error: unknown) => ends.push(error));
  const answer = async (outcome: DeliveryOutcome) => {
    await gate.run('normal', never, async () => [outcome]);
    await clock.advance(20_000);
  };
  const delivered = { kind: 'delivered' } as const;
  for (const outcome of [refused, refused, refused, delivered, refused, refused, refused]) await answer(outcome);
  assert.equal(ends.length, 0);
  await answer(refused);
  const [end] = ends;
  assert.ok(end instanceof ConsumerError && end.code === 'sink-refuses-us');
  assert.match(end.message, /crm.*4 tries.*http-401/);
});

test('three refusals count from the first of them, the probes between them and all', async () => {
  const { clock, gate, sinks } = opened({ type: 'file', path: '/tmp/unused.ndjson' }, 30_000);
  const failure = { cause: 'login-refused', reason: 'a whole sentence.' };
  const refused: DeliveryOutcome = { kind: 'misconfigured', failure };
  const ends: unknown[] = [];
  untilRefusedForGood(sinks, clock).catch((error: unknown) => ends.push(error));
  for (let tries = 0; tries < 3; tries += 1) {
    await gate.run('normal', never, async () => [refused]);
    await clock.advance(30_000);
  }
  assert.match(String(ends[0]), /3 tries .* a whole sentence\. Correct/);
});

test('a drain ends where a sink takes nothing for five minutes and its records wait; one record that fails has its retries', async () => {
  const away: DeliveryOutcome = { kind: 'retry', failure: { cause: 'broker-unreachable', reason: 'A sentence.' } };
  const delivered = { kind: 'delivered' } as const;
  const endOf = async (kind: 'topic' | 'records', over: number, outcomes: readonly DeliveryOutcome[]) => {
    const clock = new ManualClock();
    const breaker = { errors: 0.5, over, cooldownMs: 20_000, maxWaitMs: 60_000 };
    const gate = new SinkGate({ concurrency: 1, breaker, clock });
    const byName = new Map([['copy', { kind, sink: undefined, gate } as unknown as OpenSink]]);
    const sinks = { byName, [Symbol.asyncDispose]: async () => gate.close() };
    const ending = new AbortController();
    let end: unknown;
    const watching = untilAwayForGood(sinks, clock, ending.signal).catch((error: unknown) => (end = error));
    for (const outcome of outcomes) {
      await gate.run('normal', never, async () => [outcome]);
      await clock.advance(30_000);
    }
    ending.abort(new Error('not away'));
    await watching;
    return String(end);
  };
  const times = (count: number) => Array.from({ length: count }, () => away);
  assert.match(
    await endOf('topic', 20, times(11)),
    /"copy" took nothing for 5 minutes \(broker-unreachable\): A sentence\. See/,
  );
  assert.match(await endOf('records', 2, times(11)), /took nothing for 5 minutes/);
  assert.match(await endOf('topic', 20, [...times(10), delivered, ...times(10)]), /not away/);
  assert.match(await endOf('records', 20, times(15)), /not away/, 'the circuit is closed');
});

test('a sink is tried before work begins: what no waiting mends ends the run, a target that is away does not', async () => {
  const destination = new PassThrough();
  const log = createLogger({ name: 'test', level: 'warn', destination });
  await assert.rejects(checkSinks(opened({ type: 'file', path: '/tmp' }).sinks, log, never), {
    code: 'sink-file-unusable',
  });
  const away = { type: 'http', name: 'crm', url: 'http://127.0.0.1:1/' } as const;
  await checkSinks(opened(away).sinks, log, never);
  assert.match(String(destination.read()), /sink-unreachable/);
});
