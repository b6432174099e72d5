import { addCounts, type RecordCounts, type RunWindow } from '@genesys-kafka/ledger';
import { settledWithin, type Clock } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import { LANES } from '@genesys-kafka/topics';
import type { ProducerContext } from '../export/context.ts';
import type { JobContract } from '../genesys/job-contract.ts';
import type { Follow } from './follow.ts';
import { LaneGroup } from './lane-group.ts';
import { LaneHealth } from './lane-health.ts';
import { runLane } from './lane-runner.ts';
import type { RunFigures } from './run-metrics.ts';
import { Scheduler } from './scheduler.ts';
import { watchTopics } from './watch-topics.ts';
import { Watermark } from './watermark.ts';

/** Of the 25 s after which whoever stops a process may kill it. */
const STOP_MS = 20_000;

export interface RunOptions {
  readonly context: ProducerContext;
  readonly contract: JobContract;
  readonly follow: Follow;
  readonly clock: Clock;
  readonly maxSkewMs: number;
  readonly log: Logger;
  /** The reading of a window has ended. */
  readonly onWindow: (line: RunWindow) => void;
  /** Which part of the organisation's budget is this process's own, from 0 to 1. */
  readonly onShare: (share: number) => void;
}

/** What this process has done, and what it leaves. */
export interface RunReport {
  readonly connector: string;
  /** Windows whose reading ended here, by how. */
  readonly windows: { readonly done: number; readonly failed: number; readonly split: number };
  /** Of those, and of none in work. */
  readonly records: RecordCounts;
  /** Windows in work at the stop: the next start goes on with their jobs, from what is committed. */
  readonly inWork: readonly { readonly window: string; readonly jobId?: string }[];
  readonly isWhole: boolean;
}

interface AssignedLane {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  readonly health: LaneHealth;
}

/** One process of `run`: a member of the group that shares the lanes, and the windows of those that it holds. */
export class Run {
  readonly #options: RunOptions;
  readonly #watermark: Watermark;
  readonly #scheduler: Scheduler;
  readonly #group: LaneGroup;
  readonly #lanes = new Map<number, AssignedLane>();
  readonly #ended = Promise.withResolvers<never>();
  readonly #windows = { done: 0, failed: 0, split: 0 };
  #records: RecordCounts = { read: 0, published: 0, invalid: 0, unchanged: 0 };
  /** In work when the run was stopped, and not ended since. */
  #left: readonly RunWindow[] = [];
  #isBack = false;

  constructor(options: RunOptions) {
    const { context, contract, follow, clock, maxSkewMs, log } = options;
    this.#options = options;
    this.#ended.promise.catch(() => undefined);
    this.#watermark = new Watermark({
      contract,
      checkEveryMs: follow.windows.checkEveryMs,
      clock,
      maxSkewMs,
      onChange: () => this.#onWatermark(),
    });
    this.#scheduler = new Scheduler({
      context,
      contract,
      follow,
      watermark: this.#watermark,
      clock,
      onWindow: (line, seconds) => this.#onWindow(line, seconds),
      onInterrupted: ({ window }, err) => log.warn({ window, err }, 'a window waits until Genesys is back'),
    });
    this.#group = new LaneGroup({
      member: () => context.runGroup(),
      onLanes: async (lanes) => this.#share(lanes),
      onTrouble: (err) => log.warn({ err }, 'the group that shares the lanes is in trouble'),
      clock,
    });
    options.onShare(1 / LANES);
  }

  /** Why it is not ready; empty where all is well. */
  get notReady(): readonly string[] {
    const { clock, follow } = this.#options;
    const reasons = this.#group.isJoined ? [] : ['not a member of the group that shares the lanes'];
    for (const [lane, { health }] of this.#lanes) {
      const why = health.trouble(clock.monotonicMs());
      if (why !== undefined) reasons.push(`lane ${lane} ${why}`);
    }
    const { trouble } = this.#watermark;
    if (trouble) reasons.push(`Genesys cannot be asked: ${trouble.code}`);
    if (this.#scheduler.stalledMs > follow.windows.stallAfterMs)
      reasons.push('there is work, and nothing has moved for too long');
    return reasons;
  }

  get figures(): RunFigures {
    const { figures } = this.#scheduler;
    return { ...figures, unclaimed: Math.max(0, this.#lanes.size - figures.lanes) };
  }

  /** Something was downloaded, staged or committed. */
  moved(): void {
    this.#scheduler.moved();
  }

  /** Follows until `signal` aborts, and resolves after a clean close; rejects with what cannot be waited out. */
  async until(signal: AbortSignal): Promise<RunReport> {
    const stop = new AbortController();
    const stopping = AbortSignal.any([signal, stop.signal]);
    const group = this.#group.run(stopping);
    const { context, clock, follow } = this.#options;
    const topics = watchTopics(() => context.assertSameTopics(), follow.windows.checkEveryMs, clock, stopping);
    const work = [this.#ended.promise, this.#scheduler.run(stopping), this.#watermark.run(stopping), topics, group];
    let isWhole = false;
    try {
      await Promise.race(work);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#left = this.#scheduler.inWork;
      stop.abort(new Error('the run has ended'));
      const closed = Promise.allSettled(work.slice(1)).then(() => {
        isWhole = true;
      });
      await settledWithin(closed, STOP_MS);
    }
    const { connector } = this.#options.follow.identity;
    const inWork = this.#left.map(({ window, source }) => ({
      window,
      ...(source?.jobId === undefined ? {} : { jobId: source.jobId }),
    }));
    return { connector, windows: this.#windows, records: this.#records, inWork, isWhole };
  }

  /** Takes what is new, lets go what is not ours any more, and leaves the rest alone. */
  async #share(lanes: readonly number[]): Promise<void> {
    const { log, clock, onShare } = this.#options;
    // Nobody has to be counted for it; one without lanes asks until when data is available, and little else.
    onShare(Math.max(1, lanes.length) / LANES);
    const gone = [...this.#lanes].filter(([lane]) => !lanes.includes(lane));
    const fresh = lanes.filter((lane) => !this.#lanes.has(lane));
    if (gone.length + fresh.length > 0) {
      const kept = this.#lanes.size - gone.length;
      log.info({ taken: fresh, letGo: gone.map(([lane]) => lane), kept }, 'lanes were shared');
    }
    for (const [lane, { abort }] of gone) {
      this.#lanes.delete(lane);
      abort.abort(new Error(`lane ${lane} was given to another process`));
    }
    for (const lane of fresh) {
      const abort = new AbortController();
      const health = new LaneHealth(clock.monotonicMs());
      this.#lanes.set(lane, { abort, ended: this.#hold(lane, health, abort.signal), health });
    }
    await Promise.all(gone.map(async ([, { ended }]) => ended));
  }

  /** One after the other, where a lane comes back while it is still being let go. */
  readonly #holders = new Map<number, Promise<void>>();
  async #hold(lane: number, health: LaneHealth, signal: AbortSignal): Promise<void> {
    const before = this.#holders.get(lane);
    const { context, contract, follow, clock, log } = this.#options;
    const holder = (async () => {
      await before;
      await runLane(
        lane,
        {
          context,
          follow,
          scheduler: this.#scheduler,
          clock,
          health,
          onLost: (_, err) => log.warn({ lane, err }, 'a lane was lost; it is claimed again while it is ours'),
          onHeld: () => log.debug({ lane }, 'lane claimed'),
          release: async (sourceId) => {
            await contract.release(sourceId);
            await context.stages.release(sourceId);
          },
        },
        signal,
      ).catch((error: unknown) => this.#ended.reject(error));
    })();
    this.#holders.set(lane, holder);
    await holder;
  }

  #onWatermark(): void {
    const { log } = this.#options;
    const { trouble, untilMs, backByMs } = this.#watermark;
    const isBack = backByMs >= this.#options.follow.plan.sizeMs;
    if (isBack && !this.#isBack) {
      log.warn(
        { until: iso(untilMs!), backSeconds: backByMs / 1000 },
        'the date until which data is available has gone back',
      );
    }
    this.#isBack = isBack;
    if (trouble) log.warn({ err: trouble }, 'Genesys cannot be asked until when data is available; no window is begun');
    else if (untilMs !== undefined) log.debug({ until: iso(untilMs) }, 'data is available');
    this.#scheduler.wake();
  }

  #onWindow(line: RunWindow, seconds: number): void {
    const { log, onWindow } = this.#options;
    onWindow(line);
    this.#left = this.#left.filter(({ window }) => window !== line.window);
    const { window, state, reading, counts, error, failures, halves, source } = line;
    if (state === 'done' || state === 'failed' || state === 'split') this.#windows[state] += 1;
    this.#records = addCounts(this.#records, counts);
    const facts = { window, reading, counts, seconds: Math.round(seconds * 10) / 10, jobId: source?.jobId };
    if (state === 'done') log.info(facts, 'window read');
    else if (state === 'split') log.info({ ...facts, halves, error }, 'window split in two');
    else log.warn({ ...facts, error, nextTry: failures?.nextTry }, 'window failed; it is tried again');
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
