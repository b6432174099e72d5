import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import type { Priority } from './priority-queue.ts';
import { SinkGate, type CircuitOpen, type CircuitOpening, type SinkGateOptions } from './sink-gate.ts';
import type { DeliveryOutcome } from './sink.ts';

const never = new AbortController().signal;
const delivered: DeliveryOutcome = { kind: 'delivered' };
const failed = (httpStatus: number, retryAfterMs?: number): DeliveryOutcome => ({
  kind: 'retry',
  failure: { cause: `http-${httpStatus}`, reason: '', httpStatus },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const refused: DeliveryOutcome = { kind: 'misconfigured', failure: { cause: 'http-401', reason: '' } };
const breaker = { errors: 0.5, over: 4, cooldownMs: 1000, maxWaitMs: 300_000 };
const why = { cause: 'http-429', reason: '', httpStatus: 429 };

function setUp(options: Partial<SinkGateOptions> = {}) {
  const clock = new ManualClock();
  const gate = new SinkGate({ concurrency: 2, breaker, clock, ...options });
  const changes: string[] = [];
  const openings: CircuitOpening[] = [];
  gate.onChange((state, opening) => {
    changes.push(state);
    if (opening) openings.push(opening);
  });
  /** The one outcome of a request with one record, or the refusal. */
  const run = async (priority: Priority, signal: AbortSignal, deliver: () => Promise<DeliveryOutcome>) => {
    const answer = await gate.run(priority, signal, async () => [await deliver()]);
    return 'kind' in answer ? answer : answer[0]!;
  };
  const answer = async (outcome: DeliveryOutcome) => run('normal', never, async () => outcome);
  return { clock, gate, changes, openings, run, answer };
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
      const { clock, gate, run } = setUp({ concurrency, rate: { max, perMs } });
      const starts: number[] = [];
      let active = 0;
      const all = calls.map(async ({ priority, atMs, takesMs }) => {
        await clock.sleep(atMs);
        return run(priority, never, async () => {
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
      assert.equal(active, 0);
      gate.close();
    }),
    { numRuns: 60 },
  );
});

test('with one slot, the waiting high goes before the waiting low', async () => {
  const { clock, run } = setUp({ concurrency: 1 });
  const order: string[] = [];
  const ask = async (priority: Priority) =>
    run(priority, never, async () => {
      order.push(priority);
      await clock.sleep(10);
      return delivered;
    });
  const all = [ask('low'), ask('low'), ask('normal'), ask('high')];
  await clock.advance(100);
  await Promise.all(all);
  assert.deepEqual(order, ['low', 'high', 'normal', 'low']);
});

test('an open circuit sends nothing, tells when to come back, and one probe finds the recovery', async () => {
  const { clock, changes, run, answer } = setUp();
  for (let i = 0; i < 4; i += 1) await answer(failed(503));
  assert.deepEqual(changes, ['open']);

  let calls = 0;
  const open = (await run('high', never, async () => ((calls += 1), delivered))) as CircuitOpen;
  assert.deepEqual(open, { kind: 'circuit-open', retryInMs: 1000 });
  assert.equal(calls, 0);

  await clock.advance(1000);
  assert.deepEqual(changes, ['open', 'half-open']);
  const probe = Promise.withResolvers<DeliveryOutcome>();
  const probing = run('low', never, async () => probe.promise);
  const second = run('high', never, async () => ((calls += 1), delivered));
  await clock.advance(0);
  assert.equal(calls, 0, 'the others wait for the probe');
  probe.resolve(failed(503));
  assert.equal((await probing).kind, 'retry');
  assert.equal((await second).kind, 'circuit-open', 'the probe failed: what waited is sent back');

  await clock.advance(1000);
  assert.equal((await answer(delivered)).kind, 'delivered');
  assert.deepEqual(changes, ['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('a circuit that opens with a delivery that went well is told with the failure before it', async () => {
  const { openings, answer } = setUp();
  for (const outcome of [failed(503), delivered, failed(502), delivered]) await answer(outcome);
  assert.deepEqual(openings, [{ failure: { cause: 'http-502', reason: '', httpStatus: 502 }, forMs: 1000 }]);
});

test('a refusal of us opens the circuit at once and empties the queue', async () => {
  const { clock, gate, run, answer } = setUp({ concurrency: 1 });
  const first = Promise.withResolvers<DeliveryOutcome>();
  const running = run('normal', never, async () => first.promise);
  const queued = run('normal', never, async () => assert.fail('must not be sent'));
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
});

test('a 429 holds everybody for its Retry-After, a long one by opening the circuit', async () => {
  const { clock, gate, answer } = setUp();
  await answer(failed(429, 300));
  const heldMs = clock.monotonicMs();
  const next = answer(delivered).then(({ kind }) => [kind, clock.monotonicMs() - heldMs]);
  await clock.advance(500);
  assert.deepEqual(await next, ['delivered', 300]);

  await answer(failed(429, 60_000));
  const open = (await answer(delivered)) as CircuitOpen;
  assert.equal(open.retryInMs, 60_000);
  await clock.advance(60_000);
  assert.equal(gate.state, 'half-open');
});

test('an opening is told with its cause, what was asked for and until when; a wait past the limit is cut and probed', async () => {
  const { clock, gate, openings, answer } = setUp();
  await answer(failed(429, 1_790_000_000_000));
  assert.deepEqual(openings, [{ failure: why, askedMs: 1_790_000_000_000, forMs: 300_000 }]);
  await clock.advance(300_000);
  assert.equal(gate.state, 'half-open');
});

test('each way of opening names the answer that did it', async () => {
  const byShare = setUp();
  for (let i = 0; i < 4; i += 1) await byShare.answer(failed(503));
  const byRefusal = setUp();
  await byRefusal.answer(refused);
  const byHold = setUp();
  const late = Promise.withResolvers<DeliveryOutcome>();
  const longer = byHold.run('normal', never, async () => late.promise);
  await byHold.answer(failed(429, 60_000));
  const openings = [byShare, byRefusal, byHold].map((one) =>
    one.openings.map(({ failure, forMs, askedMs }) => [failure.cause, forMs, askedMs]),
  );
  assert.deepEqual(openings, [
    [['http-503', 1000, undefined]],
    [['http-401', 1000, undefined]],
    [['http-429', 60_000, 60_000]],
  ]);
  late.resolve(failed(429, 200_000));
  await longer;
  assert.equal(byHold.openings.length, 2, 'a wait that is prolonged is told too');
});

test("one record's 503 with a long Retry-After holds nobody else; several in a row hold everybody", async () => {
  const { gate, answer } = setUp({ breaker: { ...breaker, over: 100 } });
  for (let i = 0; i < 5; i += 1) {
    await answer(failed(503, 60_000));
    await answer(failed(503, 60_000));
    await answer(delivered);
  }
  assert.equal(gate.state, 'closed');
  for (let i = 0; i < 3; i += 1) await answer(failed(503, 60_000 + i));
  assert.equal(((await answer(delivered)) as CircuitOpen).retryInMs, 60_000);
});

test('an abort takes a waiting call out of the queue; one that throws frees its slot and blames nobody', async () => {
  const { clock, run, answer } = setUp({ concurrency: 1 });
  const abort = new AbortController();
  const slow = run('normal', never, async () => {
    await clock.sleep(100);
    throw new Error('bug');
  });
  const gone = run('normal', abort.signal, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  const failing = assert.rejects(slow, /bug/);
  await clock.advance(90);
  await failing;
  assert.equal((await answer(delivered)).kind, 'delivered');
  await assert.rejects(
    run('normal', AbortSignal.abort(new Error('late')), async () => delivered),
    /late/,
  );
});

test('who leaves, or a circuit that opens, while a permit is awaited leaves nothing behind', async () => {
  const { clock, run, answer } = setUp({ rate: { max: 1, perMs: 100 } });
  await answer(delivered);
  const abort = new AbortController();
  const gone = run('normal', abort.signal, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  await clock.advance(90);

  const late = Promise.withResolvers<DeliveryOutcome>();
  const ahead = run('normal', never, async () => late.promise);
  await clock.advance(100);
  const waiting = run('normal', never, async () => assert.fail('must not be sent'));
  await clock.advance(10);
  late.resolve(refused);
  await ahead;
  assert.equal((await waiting).kind, 'circuit-open');
  await clock.advance(1000);
  assert.equal((await answer(delivered)).kind, 'delivered');
});

test('after close no timer is left', async () => {
  const { clock, gate, answer } = setUp();
  await answer(refused);
  await clock.advance(0);
  assert.equal(clock.sleeping, 1);
  gate.close();
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
});

test('a request counts once, and is judged by all its outcomes', async () => {
  const rejected: DeliveryOutcome = { kind: 'rejected', failure: { cause: 'http-422', reason: '' } };
  const { gate } = setUp({ breaker: { ...breaker, errors: 1, over: 2 } });
  const request = async (...outcomes: DeliveryOutcome[]) => gate.run('normal', never, async () => outcomes);
  await request(failed(503), failed(503), failed(503));
  assert.equal(gate.state, 'closed', 'one failure, not three');
  for (let i = 0; i < 3; i += 1) await request(failed(503), rejected);
  assert.equal(gate.state, 'closed', 'the target works');
  await request(delivered, failed(503), refused);
  assert.equal(gate.state, 'open', 'one refusal of us is enough');
  gate.close();
});

test('a rate holds where requests are written: those of a first burst wait for their connections', async () => {
  const { clock, gate } = setUp({ concurrency: 16, rate: { max: 4, perMs: 1000 } });
  const written: number[] = [];
  const all = Array.from({ length: 12 }, async (_, index) =>
    gate.run('normal', never, async (onWritten) => {
      if (index < 4) await clock.sleep(250);
      written.push(clock.monotonicMs());
      onWritten();
      await clock.sleep(2000);
      return [delivered];
    }),
  );
  await clock.advance(10_000);
  await Promise.all(all);
  assert.deepEqual(
    written,
    [250, 1250, 2250].flatMap((ms) => [ms, ms, ms, ms]),
  );
});

for (const jumpMs of [-86_400_000, 86_400_000]) {
  test(`a clock that is set by ${jumpMs} ms: an open circuit and a 429's hold end when they would have`, async () => {
    const { clock, gate, changes, answer } = setUp();
    await answer(refused);
    clock.jump(jumpMs);
    await clock.advance(999);
    assert.equal(gate.state, 'open');
    await clock.advance(1);
    await answer(delivered);
    assert.deepEqual(changes, ['open', 'half-open', 'closed']);
    await answer(failed(429, 500));
    clock.jump(-jumpMs);
    const held = answer(delivered).then(() => clock.monotonicMs());
    await clock.advance(2000);
    assert.equal(await held, 1500);
    gate.close();
  });
}

test('a record that is rejected before anything is sent says nothing of the target: a half-open circuit stays so', async () => {
  const { clock, gate, answer } = setUp();
  await answer(refused);
  assert.equal(gate.state, 'open');
  await clock.advance(1000);
  assert.equal(gate.state, 'half-open');
  const failure = { cause: 'expression-error', reason: '' };
  await answer({ kind: 'rejected', failure, unsent: true });
  assert.deepEqual([gate.state, gate.refusals], ['half-open', 1]);
  await answer({ kind: 'rejected', failure });
  assert.deepEqual([gate.state, gate.refusals], ['closed', 0]);
});

test('records that were never sent do not speak for those beside them: the circuit opens all the same', async () => {
  const { gate } = setUp({ concurrency: 1 });
  const unsent: DeliveryOutcome = { kind: 'rejected', unsent: true, failure: { cause: 'no-key', reason: '' } };
  for (let request = 0; request < breaker.over; request += 1)
    await gate.run('normal', never, async () => [unsent, failed(503)]);
  assert.equal(gate.state, 'open');
});
