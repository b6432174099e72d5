import { completeUntilMs, dayOf, inTurn, planWork } from '@genesys-kafka/job-poller';
import type { RunWindow } from '@genesys-kafka/ledger';
import { OperationalError, untilAborted } from '@genesys-kafka/resilience';
import { jobRepeated } from '../errors.ts';
import { readWindow, takeUp, type FollowPorts, type WindowReading } from './follow-window.ts';
import type { HeldLane } from './held-lane.ts';
import type { RunFigures } from './run-metrics.ts';
import type { Watermark } from './watermark.ts';

export interface SchedulerOptions extends FollowPorts {
  readonly watermark: Pick<Watermark, 'isWindowsOwn' | 'untilMs' | 'trouble'>;
  readonly onWindow: (line: RunWindow, seconds: number) => void;
  /** A window is interrupted by what is not its own: it goes on when that is over. */
  readonly onInterrupted: (line: RunWindow, error: OperationalError) => void;
}

/**
 * Which windows are in work: those of all lanes that this process holds share `genesys.concurrentJobs`, the most urgent
 * first. Looks anew whenever a window ends, a lane comes or goes, the data moves on, or a failed window is due.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #lanes = new Map<number, HeldLane>();
  #bug: { readonly error: unknown } | undefined;
  #woken = Promise.withResolvers<undefined>();
  #movedMs: number;
  #isWaitingFor = 0;
  #turn: 'first' | 'retry' = 'first';
  /** Keeps the digests of the last day in memory between its windows: loading them reads all days of the lane. */
  #lastDay: { readonly lane: HeldLane; readonly judge: Disposable } | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#movedMs = options.clock.monotonicMs();
  }

  get figures(): Omit<RunFigures, 'unclaimed'> {
    const { follow, clock } = this.#options;
    const lines = [...this.#lanes.values()].flatMap((lane) => [...lane.lines.values()]);
    const windows = new Map<RunWindow['state'], number>();
    let oldestFailureMs = 0;
    const nowMs = clock.nowMs();
    for (const { state, failures } of lines) {
      windows.set(state, (windows.get(state) ?? 0) + 1);
      if (failures) oldestFailureMs = Math.max(oldestFailureMs, nowMs - Date.parse(failures.since));
    }
    const isHeld = (startMs: number) => this.#lanes.has(follow.laneOf(startMs));
    const known = { get: (id: string) => this.#lineOf(id) };
    const behindMs = this.#lanes.size === 0 ? undefined : nowMs - completeUntilMs(follow.plan, known, nowMs, isHeld);
    return { lanes: this.#lanes.size, inWork: this.inWork.length, windows, behindMs, oldestFailureMs };
  }

  /** Windows in work now. */
  get inWork(): readonly RunWindow[] {
    return [...this.#lanes.values()].flatMap((lane) => [...lane.inWork.values()].map(({ source }) => source.entry));
  }

  /** For how long there has been work and none of it has moved. */
  get stalledMs(): number {
    const { clock, watermark } = this.#options;
    const hasWork = this.#isWaitingFor > 0 || this.inWork.length > 0;
    return hasWork && !watermark.trouble ? clock.monotonicMs() - this.#movedMs : 0;
  }

  /** Something was committed, or came. */
  moved(): void {
    this.#movedMs = this.#options.clock.monotonicMs();
  }

  /** Looks anew. */
  wake(): void {
    this.#woken.resolve(undefined);
  }

  /** Works on the lane's windows until its signal aborts; rejects with its reason once none of them is in work. */
  async hold(lane: HeldLane): Promise<never> {
    this.#lanes.set(lane.number, lane);
    this.wake();
    try {
      return await untilAborted(lane.signal);
    } finally {
      this.#lanes.delete(lane.number);
      if (this.#lastDay?.lane === lane) this.#keepDay(undefined);
      await lane.idle();
      this.wake();
    }
  }

  /** Rejects with the signal's reason, or with a bug. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      if (this.#bug) throw this.#bug.error;
      this.#woken = Promise.withResolvers();
      const nextRetryMs = this.#startDue();
      const over = new AbortController();
      const waits: Promise<unknown>[] = [this.#woken.promise, untilAborted(signal, over.signal)];
      if (nextRetryMs !== undefined) waits.push(this.#sleepUntil(nextRetryMs, over.signal));
      try {
        await Promise.race(waits);
      } finally {
        over.abort();
      }
    }
  }

  async #sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // Not for long at once: the clock may be set.
    const waitMs = Math.min(60_000, Math.max(0, atMs - clock.nowMs()));
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }

  /** Starts what is due and has room; resolves with when a failed window is due next. */
  #startDue(): number | undefined {
    const { follow, watermark, clock } = this.#options;
    this.#isWaitingFor = 0;
    if (watermark.trouble || watermark.untilMs === undefined || this.#lanes.size === 0) return undefined;
    const availableMs = watermark.untilMs;
    const laneOf = (startMs: number) => this.#lanes.get(follow.laneOf(startMs));
    const { due, nextRetryMs } = planWork(
      follow.plan,
      { get: (id) => this.#lineOf(id) },
      { nowMs: clock.nowMs(), availableMs, retryAfterMs: follow.windows.retryAfterMs },
      (startMs) => laneOf(startMs) !== undefined,
    );
    const free = due.filter(({ window }) => {
      const lane = laneOf(window.from.getTime());
      return lane && !lane.inWork.has(window.id) && !lane.signal.aborted;
    });
    const room = Math.max(0, follow.concurrentJobs - this.inWork.length);
    const taken = inTurn(free, this.#turn).slice(0, room);
    this.#isWaitingFor = free.length - taken.length;
    for (const { window, due: why } of taken) {
      if (why === 'first') this.#turn = 'retry';
      if (why === 'retry') this.#turn = 'first';
      this.#start(takeUp(laneOf(window.from.getTime())!, window, availableMs, this.#options));
    }
    return nextRetryMs;
  }

  #lineOf(window: string): RunWindow | undefined {
    for (const lane of this.#lanes.values()) {
      const line = lane.lines.get(window);
      if (line) return line;
    }
    return undefined;
  }

  #keepDay(day: { readonly lane: HeldLane; readonly judge: Disposable } | undefined): void {
    this.#lastDay?.judge[Symbol.dispose]();
    this.#lastDay = day;
  }

  #start(reading: WindowReading): void {
    const { lane, window, source } = reading;
    const judge = lane.digests?.judge(source.entry.connector, dayOf(window.id));
    this.#keepDay(judge && { lane, judge });
    const { clock, onWindow, onInterrupted } = this.#options;
    const startedMs = clock.monotonicMs();
    this.moved();
    const takeSource = (id: string, window: string) => this.#assertNewJob(id, window);
    let ended: RunWindow | undefined;
    const read = async () => {
      try {
        ended = await readWindow(reading, takeSource, this.#options);
      } catch (error) {
        if (lane.signal.aborted) return;
        if (error instanceof OperationalError) onInterrupted(source.entry, error);
        else this.#found(error);
      }
    };
    lane.work(source, read, () => {
      // Now that it is in work no more: whoever stops finds it here or there.
      if (ended) onWindow(ended, (clock.monotonicMs() - startedMs) / 1000);
      this.moved();
      this.#expire(lane);
      this.wake();
    });
  }

  /** Digests of days that no reading reaches any more: the first ones are behind, and those again as well. */
  #expire(lane: HeldLane): void {
    const { follow, watermark } = this.#options;
    const { plan, identity } = follow;
    if (watermark.untilMs === undefined || lane.signal.aborted) return;
    const isOfLane = (startMs: number) => follow.laneOf(startMs) === lane.number;
    const readMs = completeUntilMs(plan, lane.lines, watermark.untilMs, isOfLane);
    const reachMs = watermark.untilMs - Math.max(0, ...plan.rereads.map(({ ageMs }) => ageMs));
    const beforeMs = Math.min(readMs, reachMs, lane.unsettledMs);
    lane.expire(identity.connector, dayOf(new Date(beforeMs).toISOString()), (error) => this.#found(error));
  }

  #found(error: unknown): void {
    this.#bug ??= { error };
    this.wake();
  }

  /** A job's records are known by its id: read for two windows, or twice for one, they would be the same records. */
  #assertNewJob(id: string, window: string): void {
    for (const lane of this.#lanes.values()) {
      const other = lane.reads(id);
      if (other) throw jobRepeated(id, window, { window: other.window, generation: other.reading });
    }
  }
}
