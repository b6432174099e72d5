import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '@genesys-kafka/kafka';
import type { LaneOptions, RunPlan } from '@genesys-kafka/ledger';
import { OperationalError, untilAborted } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { LEDGER, MemoryLedger } from '../../fixtures/memory-ledger.ts';
import { SETTINGS } from '../settings.ts';
import { followOf } from './follow.ts';
import type { HeldLane } from './held-lane.ts';
import { LaneHealth } from './lane-health.ts';
import { runLane } from './lane-runner.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const LIMITS = { transactionBytes: 1e6, transactionMs: 1000, bufferBytes: 1e6, stepBytes: 1e5 };
const AWAY = new KafkaError('broker-unreachable', 'Away.');

/** A lane on a ledger in memory. */
class Bench {
  readonly clock = new ManualClock(START_MS + 24 * HOUR_MS);
  readonly health = new LaneHealth(this.clock.monotonicMs());
  readonly ledger = new MemoryLedger();
  readonly lost: string[] = [];
  readonly stop = new AbortController();
  mayClaim: () => Promise<void> = async () => undefined;
  holds: HeldLane[] = [];
  /** What is done with a lane in hand; by default nothing, until it is let go. */
  work: (lane: HeldLane) => Promise<never> = async (lane) => untilAborted(lane.signal);

  run(): Promise<unknown> {
    const settings = loadSettings(SETTINGS, { env: {} });
    const follow = followOf(
      { ...settings, windows: { ...settings.windows, fromMs: START_MS } },
      {},
      this.clock.nowMs(),
    );
    const hold = async (lane: HeldLane) => {
      this.holds.push(lane);
      return this.work(lane);
    };
    const ports = {
      context: { runLane: (_: number, signal: AbortSignal) => this.#options(signal), digests: () => undefined },
      ...{ follow, scheduler: { hold }, clock: this.clock, health: this.health },
      ...{ onLost: (_: number, { code }: OperationalError) => this.lost.push(code), onHeld: () => undefined },
      release: async () => undefined,
    };
    return runLane(3, ports, this.stop.signal).then(
      () => 'let go',
      (error: unknown) => error,
    );
  }

  get plans(): RunPlan[] {
    const values = this.ledger.log.map(
      ({ value }) => JSON.parse(String(value)) as RunPlan | { readonly kind: 'claim' },
    );
    return values.filter((value) => value.kind === 'run-plan');
  }

  #options(signal: AbortSignal): LaneOptions {
    const identity = { transactionalId: 't', ledger: LEDGER, keyPrefix: 'run/' };
    const { clock, mayClaim } = this;
    return { client: this.ledger.client(), identity, limits: LIMITS, signal, clock, mayClaim };
  }
}

test('brokers that are away for hours, at the start or later: the lane is claimed when they are back, and is told of', async () => {
  const bench = new Bench();
  bench.ledger.failure = AWAY;
  const running = bench.run();
  await bench.clock.advance(HOUR_MS);
  assert.deepEqual(
    [bench.holds.length, bench.health.trouble(bench.clock.monotonicMs())],
    [0, 'is lost for broker-unreachable'],
  );
  bench.ledger.failure = undefined;
  await bench.clock.advance(2 * 60_000);
  assert.deepEqual([bench.holds.length, bench.health.trouble(bench.clock.monotonicMs())], [1, undefined]);
  bench.ledger.failure = AWAY;
  const [lane] = bench.holds;
  const entry = { ...bench.plans[0]!, lane: 3 };
  await lane!.publisher.write({ key: 'run/x', entry, batches: [] });
  await bench.clock.advance(3 * HOUR_MS);
  assert.equal(lane!.signal.aborted, true);
  assert.notEqual(bench.health.trouble(bench.clock.monotonicMs()), undefined);
  assert(bench.lost.length < 100, `tried too often: ${bench.lost.length}`);
  bench.ledger.failure = undefined;
  await bench.clock.advance(2 * 60_000);
  assert.deepEqual([bench.holds.length, bench.health.trouble(bench.clock.monotonicMs())], [2, undefined]);
  bench.stop.abort(new Error('stop'));
  await bench.clock.advance(0);
  assert.equal(await running, 'let go');
  assert.equal(bench.plans.length, 1, 'the plan is written once');
});

test('a right that is gone while the lane can be claimed: tried again, less often each time, never given up', async () => {
  const bench = new Bench();
  bench.work = async () => {
    await bench.clock.sleep(100);
    throw new KafkaError('authorization-failed', 'No right to write.');
  };
  const running = bench.run();
  await bench.clock.advance(HOUR_MS);
  assert(bench.holds.length > 50 && bench.holds.length < 80, String(bench.holds.length));
  assert.equal(bench.health.trouble(bench.clock.monotonicMs()), 'is lost for authorization-failed');
  bench.work = async (lane) => untilAborted(lane.signal);
  await bench.clock.advance(3 * 60_000);
  assert.equal(bench.health.trouble(bench.clock.monotonicMs()), undefined);
  bench.stop.abort(new Error('stop'));
  await bench.clock.advance(0);
  assert.equal(await running, 'let go');
});

for (const code of ['ledger-missing', 'data-missing']) {
  test(`${code} at a claim ends the run; whatever else is wrong with it does not`, async () => {
    const bench = new Bench();
    let isMadeAnew = false;
    bench.mayClaim = async () => {
      throw new OperationalError(isMadeAnew ? code : 'topic-missing', 'Other topics.');
    };
    const running = bench.run();
    await bench.clock.advance(HOUR_MS);
    assert(bench.lost.length > 10 && bench.lost.every((lost) => lost === 'topic-missing'));
    assert.equal(bench.ledger.log.length, 0, 'something was claimed');
    isMadeAnew = true;
    await bench.clock.advance(2 * 60_000);
    assert.equal(((await running) as OperationalError).code, code);
  });
}
