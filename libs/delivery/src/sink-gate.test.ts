import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import type { Priority } from './priority-queue.ts';
import { SinkGate, type CircuitOpen, type SinkGateOptions } from './sink-gate.ts';
import type { DeliveryOutcome } from './sink.ts';

const never = new AbortController().signal;
const delivered: DeliveryOutcome = { kind: 'delivered' };
const failed = (httpStatus: number, retryAfterMs?: number): DeliveryOutcome => ({
  kind: 'retry',
  failure: { cause: `http-${httpStatus}`, reason: '', httpStatus },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const refused: DeliveryOutcome = { kind: 'misconfigured', failure: { cause: 'http-401', reason: '' } };
const breaker = { errors: 0.5, over: 4, cooldownMs: 1000 };

function setUp(options: Partial<SinkGateOptions> = {}) {
  const clock = new ManualClock();
  const gate = new SinkGate({ concurrency: 2, breaker, clock, ...options });
  const changes: string[] = [];
  gate.onChange((state) => changes.push(state));
  const answer = async (outcome: DeliveryOutcome) => gate.run('normal', never, async () => outcome);
  return { clock, gate, changes, answer };
}

test('law: never more at once than the concurrency, never more starts in a window than the rate, all are served', async () => {
  const plan = fc.record({
    concurrency: fc.integer({ min: 1, max: 5 }),
    max: fc.integer({ min: 1, max: 4 }),
    perMs: fc.integer({ min: 1, max: 50 }),
    calls: fc.array(
      fc.record({
        priority: fc.constantFrom<Priority>('high', 'normal', 'low'),
        atMs: fc.integer({ min: 0, max: 100 }),
        takesMs: fc.integer({ min: 0, max: 40 }),
      }),
      { minLength: 1, maxLength: 25 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ concurrency, max, perMs, calls }) => {
      const { clock, gate } = setUp({ concurrency, rate: { max, perMs } });
      const starts: number[] = [];
      let active = 0;
      const all = calls.map(async ({ priority, atMs, takesMs }) => {
        await clock.sleep(atMs);
        return gate.run(priority, never, async () => {
          active += 1;
          assert.ok(active <= concurrency);
          starts.push(clock.monotonicMs());
          await clock.sleep(takesMs);
          active -= 1;
          return delivered;
        });
      });
      await clock.advance(5000);
      assert.equal((await Promise.all(all)).filter(({ kind }) => kind === 'delivered').length, calls.length);
      for (const [i, atMs] of starts.entries())
        assert.ok(starts.slice(i).filter((other) => other < atMs + perMs).length <= max);
      assert.deepEqual(gate.stats().active, 0);
      gate.close();
    }),
    { numRuns: 60 },
  );
});

test('with one slot, the waiting high goes before the waiting low', async () => {
  const { clock, gate } = setUp({ concurrency: 1 });
  const order: string[] = [];
  const run = async (priority: Priority) =>
    gate.run(priority, never, async () => {
      order.push(priority);
      await clock.sleep(10);
      return delivered;
    });
  const all = [run('low'), run('low'), run('normal'), run('high')];
  await clock.advance(100);
  await Promise.all(all);
  assert.deepEqual(order, ['low', 'high', 'normal', 'low']);
});

test('an open circuit sends nothing, tells when to come back, and one probe finds the recovery', async () => {
  const { clock, gate, changes, answer } = setUp();
  for (let i = 0; i < 4; i += 1) await answer(failed(503));
  assert.deepEqual(changes, ['open']);

  let calls = 0;
  const open = (await gate.run('high', never, async () => ((calls += 1), delivered))) as CircuitOpen;
  assert.deepEqual(open, { kind: 'circuit-open', retryInMs: 1000, retryAtMs: clock.nowMs() + 1000 });
  assert.equal(calls, 0);

  await clock.advance(1000);
  assert.deepEqual(changes, ['open', 'half-open']);
  const probe = Promise.withResolvers<DeliveryOutcome>();
  const probing = gate.run('low', never, async () => probe.promise);
  const second = gate.run('high', never, async () => ((calls += 1), delivered));
  await clock.advance(0);
  assert.equal(calls, 0, 'the others wait for the probe');
  probe.resolve(failed(503));
  assert.equal((await probing).kind, 'retry');
  assert.equal((await second).kind, 'circuit-open', 'the probe failed: what waited is sent back');

  await clock.advance(1000);
  assert.equal((await answer(delivered)).kind, 'delivered');
  assert.deepEqual(changes, ['open', 'half-open', 'open', 'half-open', 'closed']);
  assert.equal(gate.stats().opened, 2);
  assert.equal(gate.stats().refused, 2);
});

test('a refusal of us opens the circuit at once and empties the queue', async () => {
  const { clock, gate, answer } = setUp({ concurrency: 1 });
  const first = Promise.withResolvers<DeliveryOutcome>();
  const running = gate.run('normal', never, async () => first.promise);
  const queued = gate.run('normal', never, async () => assert.fail('must not be sent'));
  await clock.advance(0);
  first.resolve(refused);
  assert.equal((await running).kind, 'misconfigured');
  assert.equal((await queued).kind, 'circuit-open');
  assert.equal((await answer(delivered)).kind, 'circuit-open');
  gate.close();
});

test('rejected records are no failures of the target', async () => {
  const { gate, answer } = setUp();
  for (let i = 0; i < 20; i += 1)
    await answer({ kind: 'rejected', failure: { cause: 'http-422', reason: '', httpStatus: 422 } });
  assert.equal(gate.state, 'closed');
  assert.equal(gate.stats().outcomes.rejected, 20);
});

test('a 429 holds everybody for its Retry-After, a long one by opening the circuit', async () => {
  const { clock, gate, answer } = setUp();
  await answer(failed(429, 300));
  const next = answer(delivered);
  await clock.advance(299);
  assert.equal(gate.stats().waiting.normal, 1);
  await clock.advance(1);
  assert.equal((await next).kind, 'delivered');

  await answer(failed(429, 60_000));
  const open = (await answer(delivered)) as CircuitOpen;
  assert.equal(open.retryInMs, 60_000);
  await clock.advance(60_000);
  assert.equal(gate.state, 'half-open');
});

test('trip opens for a wait that no retry tier covers; a probe comes within the hour', async () => {
  const { clock, gate } = setUp();
  gate.trip(86_400_000);
  await clock.advance(3_600_000);
  assert.equal(gate.state, 'half-open');
});

test('an abort takes a waiting call out of the queue; one that throws frees its slot and blames nobody', async () => {
  const { clock, gate, answer } = setUp({ concurrency: 1 });
  const abort = new AbortController();
  const slow = gate.run('normal', never, async () => {
    await clock.sleep(100);
    throw new Error('bug');
  });
  const gone = gate.run('normal', abort.signal, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  assert.equal(gate.stats().waiting.normal, 0);
  const failing = assert.rejects(slow, /bug/);
  await clock.advance(90);
  await failing;
  assert.equal((await answer(delivered)).kind, 'delivered');
  await assert.rejects(
    gate.run('normal', AbortSignal.abort(new Error('late')), async () => delivered),
    /late/,
  );
});

test('who leaves, or a circuit that opens, while a permit is awaited leaves nothing behind', async () => {
  const { clock, gate, answer } = setUp({ rate: { max: 1, perMs: 100 } });
  await answer(delivered);
  const abort = new AbortController();
  const gone = gate.run('normal', abort.signal, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  await clock.advance(90);
  assert.equal(gate.stats().active, 0);

  const waiting = gate.run('normal', never, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  gate.trip();
  assert.equal((await waiting).kind, 'circuit-open');
  await clock.advance(1000);
  assert.equal((await answer(delivered)).kind, 'delivered');
});

test('after close no timer is left', async () => {
  const { clock, gate } = setUp();
  gate.trip();
  await clock.advance(0);
  assert.equal(clock.sleeping, 1);
  gate.close();
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
});

test('settings out of range are usage errors', () => {
  for (const options of [
    { concurrency: 0 },
    { concurrency: 1, rate: { max: 0, perMs: 1 } },
    { concurrency: 1, breaker: { errors: 0, over: 20, cooldownMs: 1 } },
    { concurrency: 1, breaker: { errors: 50, over: 20, cooldownMs: 1 } },
  ])
    assert.throws(() => new SinkGate(options), { code: 'routing-option-invalid' });
});
