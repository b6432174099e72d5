import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GenesysError } from '@genesys-kafka/genesys-client';
import type { RunWindow } from '@genesys-kafka/ledger';
import type { OperationalError } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { MemoryLane, sourceOptions } from '../../fixtures/memory-lane.ts';
import { fakeContract, READING } from '../../fixtures/window-bench.ts';
import { SETTINGS } from '../settings.ts';
import { followOf } from './follow.ts';
import { HeldLane } from './held-lane.ts';
import { Scheduler } from './scheduler.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAYS = 8;

/** A scheduler that holds the lanes of some days in memory; jobs wait until they are let go. */
class Bench {
  readonly clock = new ManualClock(START_MS + 10 * DAY_MS);
  readonly submitted: string[] = [];
  readonly ended: RunWindow[] = [];
  /** Jobs that end so, once they are let go. */
  readonly failing = new Set<string>();
  readonly watermark = {
    untilMs: START_MS + DAYS * DAY_MS,
    trouble: undefined as OperationalError | undefined,
    isWindowsOwn: async () => true,
  };
  readonly stop = new AbortController();
  readonly scheduler: Scheduler;
  readonly #gates = new Map<string, PromiseWithResolvers<undefined>>();
  readonly #follow;

  constructor(concurrentJobs: number, jobOf = (window: string) => `job of ${window}`) {
    const settings = loadSettings(SETTINGS, { env: {} });
    const windows = { ...settings.windows, fromMs: START_MS, rereads: [] };
    const genesys = { ...settings.genesys, concurrentJobs };
    this.#follow = followOf({ ...settings, windows, genesys }, {}, this.clock.nowMs());
    this.scheduler = new Scheduler({
      context: { ...READING, source: sourceOptions() },
      contract: fakeContract(
        {
          submit: async (window) => jobOf(window.id),
          status: async (jobId) => {
            await this.#gate(jobId).promise;
            return this.failing.has(jobId) ? { state: 'failed', message: 'because' } : { state: 'done' };
          },
        },
        this.submitted,
      ),
      follow: this.#follow,
      watermark: this.watermark,
      clock: this.clock,
      onWindow: (line) => this.ended.push(line),
      onInterrupted: () => undefined,
    });
  }

  hold(...days: readonly number[]): void {
    for (const day of days) {
      const number = this.#follow.laneOf(START_MS + day * DAY_MS);
      const { publisher } = new MemoryLane();
      const lane = new HeldLane(number, { lines: [], publisher, signal: this.stop.signal });
      this.scheduler.hold(lane).catch(() => undefined);
    }
  }

  let(jobId: string): void {
    this.#gate(jobId).resolve(undefined);
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #gate(jobId: string): PromiseWithResolvers<undefined> {
    const gate = this.#gates.get(jobId) ?? Promise.withResolvers<undefined>();
    this.#gates.set(jobId, gate);
    return gate;
  }

  async end(running: Promise<never>): Promise<void> {
    this.stop.abort(new Error('stop'));
    await assert.rejects(running, /stop/);
  }
}

const window = (day: number) => `2026-01-0${day + 1}T00:00Z/2026-01-0${day + 2}T00:00Z`;

test('windows of all lanes share the jobs, the oldest first; one that ends makes room for the next', async () => {
  const bench = new Bench(2);
  bench.hold(3, 1, 0);
  const running = bench.scheduler.run(bench.stop.signal);
  await bench.settled();
  assert.deepEqual(bench.submitted, [window(0), window(1)]);
  bench.let(`job of ${window(1)}`);
  await bench.settled();
  assert.deepEqual(bench.submitted, [window(0), window(1), window(3)]);
  bench.hold(2);
  bench.let(`job of ${window(0)}`);
  await bench.settled();
  assert.deepEqual(bench.submitted.at(-1), window(2), 'a lane that comes later has its turn');
  assert.deepEqual(
    bench.ended.map(({ state }) => state),
    ['done', 'done'],
  );
  await bench.end(running);
});

test('while Genesys cannot be asked no window is begun', async () => {
  const bench = new Bench(2);
  bench.watermark.trouble = new GenesysError('login-failed', 'Refused.');
  bench.hold(0, 1);
  const running = bench.scheduler.run(bench.stop.signal);
  await bench.settled();
  assert.deepEqual(bench.submitted, []);
  bench.watermark.trouble = undefined;
  bench.scheduler.wake();
  await bench.settled();
  assert.deepEqual(bench.submitted, [window(0), window(1)]);
  await bench.end(running);
});

test('first readings and windows that failed take turns, also while one of either is in work', async () => {
  let jobs = 0;
  const bench = new Bench(2, () => `job ${jobs++}`);
  bench.hold(0, 1, 2, 3, 4, 5, 6, 7);
  const running = bench.scheduler.run(bench.stop.signal);
  const end = async (job: number) => {
    bench.let(`job ${job}`);
    await bench.settled();
  };
  for (const job of [0, 1, 2]) {
    bench.failing.add(`job ${job}`);
    await end(job);
  }
  await bench.clock.advance(HOUR_MS);
  // The last retry is in work until the end.
  for (const job of [3, 4, 5, 6, 8, 7]) await end(job);
  assert.deepEqual(bench.submitted, [0, 1, 2, 3, 4, 0, 5, 1, 6, 2, 7].map(window));
  await bench.end(running);
});

test('one job for windows of two lanes is refused: its records would be the same records', async () => {
  const bench = new Bench(2, () => 'job');
  bench.hold(0, 1);
  const running = bench.scheduler.run(bench.stop.signal);
  bench.let('job');
  await bench.settled();
  assert.deepEqual(bench.ended.map(({ state, error }) => `${state} ${error?.code ?? ''}`.trim()).sort(), [
    'done',
    'failed job-repeated',
  ]);
  await bench.end(running);
});

test('figures are of the lanes in hand', async () => {
  const bench = new Bench(1);
  assert.equal(bench.scheduler.figures.behindMs, undefined);
  bench.hold(0, 1);
  const running = bench.scheduler.run(bench.stop.signal);
  bench.let(`job of ${window(0)}`);
  await bench.settled();
  const { lanes, inWork, behindMs, windows } = bench.scheduler.figures;
  assert.deepEqual([lanes, inWork, windows.get('done')], [2, 1, 1]);
  assert.equal(behindMs, 9 * DAY_MS);
  await bench.end(running);
});

test('it has stood still for as long as nothing moves while there is work, and not while there is none or Genesys is away', async () => {
  const bench = new Bench(1);
  const { clock, scheduler } = bench;
  bench.hold(0, 1);
  const running = scheduler.run(bench.stop.signal);
  await bench.settled();
  await clock.advance(5000);
  assert.equal(scheduler.stalledMs, 5000);
  scheduler.moved();
  assert.equal(scheduler.stalledMs, 0);
  await clock.advance(3000);
  bench.watermark.trouble = new GenesysError('login-failed', 'Refused.');
  assert.equal(scheduler.stalledMs, 0);
  bench.watermark.trouble = undefined;
  assert.equal(scheduler.stalledMs, 3000);
  for (const day of [0, 1]) {
    bench.let(`job of ${window(day)}`);
    await bench.settled();
  }
  await clock.advance(60_000);
  assert.equal(scheduler.stalledMs, 0);
  await bench.end(running);
});
