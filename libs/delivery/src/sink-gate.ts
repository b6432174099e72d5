import { SlidingWindow, systemClock, type Clock, type Permit } from '@genesys-kafka/resilience';
import { AdaptiveRate, type Refusal } from './adaptive-rate.ts';
import { CircuitBreaker, type BreakerOptions, type CircuitState } from './circuit-breaker.ts';
import { DEFAULT_SHARES, PriorityQueue, type Lane, type Shares } from './priority-queue.ts';
import type { DeliveryFailure, DeliveryOutcome } from './sink.ts';

export interface SinkGateOptions {
  /** Requests at the same time, all routes together. */
  readonly concurrency: number;
  /** At most `max` requests written in any `perMs` milliseconds, wherever they waited for their connection. */
  readonly rate?: { readonly max: number; readonly perMs: number };
  /** Requests per second that are tried even where the target answers 429 to all; below `rate`. Default 0.1. */
  readonly rateFloor?: number;
  /** Who goes first, and how much of it all is for replays: of the turns, and of the requests at the same time. */
  readonly shares?: Shares;
  /** A circuit also opens at once when the target refuses us (401, 403, 3xx). */
  readonly breaker: BreakerOptions;
  readonly clock?: Clock;
}

/** Nothing was sent. Call `run` again in `retryInMs`, or when the circuit is told to be half-open or closed. */
export interface CircuitOpen {
  readonly kind: 'circuit-open';
  /** At least 1. */
  readonly retryInMs: number;
}

/** Why a circuit opened or stays open for longer, and for how long. */
export interface CircuitOpening {
  /** The answer that did it; where a share of failures did, the last of them. */
  readonly failure: DeliveryFailure;
  /** Milliseconds until the next probe. */
  readonly forMs: number;
  /** What the target asked for, in milliseconds; more than `forMs` where that was cut. */
  readonly askedMs?: number;
}

/** Why a circuit is not closed, as it is now. */
export interface CircuitTrouble {
  /** The answer that did it, or the last probe's. */
  readonly failure: DeliveryFailure;
  /** Milliseconds until the next probe; 0 while it is under way. */
  readonly nextProbeInMs: number;
}

/** Requests that failed in a row, whether the circuit has opened or not. */
export interface Failing {
  /** From the first of them to the last, in milliseconds. */
  readonly forMs: number;
  /** The last one's. */
  readonly failure: DeliveryFailure;
}

/** A request that waits for its turn. */
interface Waiting {
  readonly isReplay: boolean;
  readonly signal: AbortSignal;
  readonly deliver: (onWritten: () => void) => Promise<readonly DeliveryOutcome[]>;
  readonly resolve: (answer: readonly DeliveryOutcome[] | CircuitOpen) => void;
  readonly reject: (error: unknown) => void;
}

type FailedOutcome = Exclude<DeliveryOutcome, { readonly kind: 'delivered' }>;
type BreakerMoment = Pick<CircuitBreaker, 'state' | 'openUntilMs'>;
type Listener = (state: CircuitState, opening?: CircuitOpening) => void;

/** A 429 that names no time and comes as a surprise holds everybody for this long: the least that one could name. */
const HOLD_MS = 1000;
const RATE_FLOOR = 0.1;
/** So many answers in a row, of whichever records, that ask to wait speak of the target and not of a record. */
const SEVERAL = 3;

/**
 * What the requests of all routes of one sink go through: a priority queue, a concurrency bound, a rate and a circuit
 * breaker. Each counts requests, however many records are in one. While the circuit is open nothing is sent and nothing
 * waits here; while it is half-open one request is the probe and the others wait for its result. A 429 holds everybody
 * for its Retry-After, and so do other answers with it where several come in a row; by opening the circuit where it is
 * longer than the cooldown, and never for longer than `maxWaitMs`. A 429 lowers the rate too, configured or not, and is
 * a failure of the target only where that does not help.
 */
export class SinkGate {
  readonly #clock: Clock;
  readonly #concurrency: number;
  /** Of these, so many at a time for replays. */
  readonly #replays: number;
  readonly #window: SlidingWindow | undefined;
  readonly #adaptive: AdaptiveRate;
  readonly #breaker: CircuitBreaker;
  readonly #cooldownMs: number;
  readonly #queue: PriorityQueue<Waiting>;
  /** Listened to once each: a signal looks through all of its listeners for each one more. */
  readonly #heard = new WeakSet<AbortSignal>();
  readonly #listeners: Listener[] = [];
  readonly #closed = new AbortController();
  #active = 0;
  #activeReplays = 0;
  #failure: DeliveryFailure | undefined;
  #heldUntilMs = 0;
  #askedInRowMs: readonly number[] = [];
  #refusals = 0;
  #failing: { readonly sinceMs: number; readonly lastMs: number } | undefined;
  #pumping = false;
  #timing = false;

  constructor(options: SinkGateOptions) {
    const { breaker, rate, shares = DEFAULT_SHARES, rateFloor = RATE_FLOOR } = options;
    this.#clock = options.clock ?? systemClock;
    this.#concurrency = options.concurrency;
    this.#replays = Math.max(1, Math.floor(options.concurrency * shares.replay));
    this.#queue = new PriorityQueue(shares);
    const max = rate === undefined ? Infinity : (rate.max * 1000) / rate.perMs;
    this.#adaptive = new AdaptiveRate({ floor: rateFloor, max });
    this.#window = rate && new SlidingWindow({ ...rate, clock: this.#clock });
    this.#breaker = new CircuitBreaker(breaker);
    this.#cooldownMs = breaker.cooldownMs;
  }

  get state(): CircuitState {
    return this.#breaker.state;
  }

  /** Why the circuit is not closed; undefined while it is. */
  get trouble(): CircuitTrouble | undefined {
    const { state, openUntilMs } = this.#breaker;
    if (state === 'closed' || !this.#failure) return undefined;
    const nextProbeInMs = state === 'open' ? Math.max(0, openUntilMs - this.#clock.monotonicMs()) : 0;
    return { failure: this.#failure, nextProbeInMs };
  }

  /** Requests per second that the target is taken to allow; undefined while it gave no reason for less than configured. */
  get adaptedPerSecond(): number | undefined {
    return this.#adaptive.perSecond;
  }

  /** Undefined where the last request was taken. */
  get failing(): Failing | undefined {
    if (!this.#failing || !this.#failure) return undefined;
    return { forMs: this.#failing.lastMs - this.#failing.sinceMs, failure: this.#failure };
  }

  /** How many requests in a row, a first one and its probes, the target refused for what we are. */
  get refusals(): number {
    return this.#refusals;
  }

  /**
   * Waits for a turn, calls `deliver` (which says when its request is written) and resolves with its outcomes; or resolves with `circuit-open` without calling
   * it. Rejects with the signal's reason when that aborts before the turn, and with whatever `deliver` rejects with.
   */
  run(
    lane: Lane,
    signal: AbortSignal,
    deliver: (onWritten: () => void) => Promise<readonly DeliveryOutcome[]>,
  ): Promise<readonly DeliveryOutcome[] | CircuitOpen> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.#tick();
    if (this.#breaker.state === 'open') return Promise.resolve(this.#refusal());
    const { promise, resolve, reject } = Promise.withResolvers<readonly DeliveryOutcome[] | CircuitOpen>();
    this.#queue.push(lane, { isReplay: lane === 'replay', signal, deliver, resolve, reject });
    this.#hear(signal);
    void this.#pump();
    return promise;
  }

  /** `listener` is told after each change of the circuit, and where an open one is prolonged by more than a cooldown. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Ends the gate's own timers. Callers end their waits by their signals. */
  close(): void {
    this.#closed.abort(new Error('the gate is closed'));
  }

  #hear(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    const onAbort = () => {
      for (const { reject } of this.#queue.take((waiting) => waiting.signal === signal)) reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  async #start({ isReplay, deliver, resolve, reject }: Waiting, permit: Permit | undefined): Promise<void> {
    const token = this.#breaker.start();
    const startedMs = this.#clock.monotonicMs();
    this.#adaptive.started(startedMs);
    this.#active += 1;
    if (isReplay) this.#activeReplays += 1;
    try {
      const outcomes = await deliver(() => permit?.begun());
      this.#settle(outcomes, token, startedMs);
      resolve(outcomes);
    } catch (error) {
      this.#breaker.report(token, 'unknown', this.#clock.monotonicMs());
      reject(error);
    } finally {
      permit?.done();
      this.#active -= 1;
      if (isReplay) this.#activeReplays -= 1;
      void this.#pump();
    }
  }

  /** Starts what may start. One pump at a time: it alone asks for permits, and picks who goes once it has one. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#mayStart()) {
        const waitMs = this.#waitMs();
        if (waitMs > 0) {
          await this.#clock.sleep(waitMs, this.#closed.signal);
          continue;
        }
        const permit = this.#window && (await this.#window.permit(this.#closed.signal));
        // Meanwhile a 429 may have come, the circuit may have opened, the last caller may have gone.
        if (permit && (!this.#mayStart() || this.#waitMs() > 0)) {
          permit.done();
          continue;
        }
        void this.#start(this.#queue.shift(this.#mayReplay)!, permit);
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#pumping = false;
    }
  }

  #mayStart(): boolean {
    return this.#active < this.#concurrency && this.#breaker.admits && this.#queue.has(this.#mayReplay);
  }

  get #mayReplay(): boolean {
    return this.#activeReplays < this.#replays;
  }

  /** Until a hold is over, and until the adapted rate allows one more; in whole milliseconds, as timers have them. */
  #waitMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.ceil(Math.max(this.#heldUntilMs - nowMs, this.#adaptive.waitMs(nowMs)));
  }

  #settle(outcomes: readonly DeliveryOutcome[], token: number, startedMs: number): void {
    const before = this.#moment();
    const nowMs = this.#clock.monotonicMs();
    const verdict = verdictOf(outcomes);
    // What comes back while the circuit is open was sent before.
    if (before.state !== 'open' && verdict !== 'unknown')
      this.#refusals = verdict === 'refused' ? this.#refusals + 1 : 0;
    if (verdict === 'success') this.#failing = undefined;
    else if (verdict !== 'unknown') this.#failing = { sinceMs: this.#failing?.sinceMs ?? nowMs, lastMs: nowMs };
    const refusal = outcomes.some(isTooMany) ? this.#adaptive.refused(startedMs, nowMs) : undefined;
    if (!refusal && verdict === 'success') this.#adaptive.taken(startedMs, nowMs);
    const isExplained = refusal?.isExplained === true && verdict === 'failure' && before.state === 'closed';
    this.#breaker.report(token, isExplained ? 'unknown' : verdict, nowMs);
    const failed = outcomes.filter((outcome) => outcome.kind !== 'delivered');
    const holdMs = this.#holdMs(failed, refusal);
    if (holdMs > this.#cooldownMs) this.#breaker.trip(holdMs, nowMs);
    else this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + holdMs);
    const failure = (failed.find(isRefusal) ?? failed[0])?.failure;
    this.#tell(before, failure && { failure, ...(holdMs > 0 ? { askedMs: holdMs } : {}) });
  }

  /** Milliseconds for which this answer holds everybody: a 429 does alone, other answers where several ask in a row. */
  #holdMs(failed: readonly FailedOutcome[], refusal: Refusal | undefined): number {
    if (failed.length === 0) {
      this.#askedInRowMs = [];
      return 0;
    }
    const inRowMs = longestAsked(failed, (status) => status !== 429);
    this.#askedInRowMs = inRowMs === 0 ? [] : [...this.#askedInRowMs, inRowMs].slice(-SEVERAL);
    const severalMs = this.#askedInRowMs.length === SEVERAL ? Math.min(...this.#askedInRowMs) : 0;
    if (!refusal) return severalMs;
    const askedMs = longestAsked(failed, (status) => status === 429);
    const usualMs = refusal.isSettled ? 0 : Math.min(HOLD_MS, this.#cooldownMs);
    return Math.max(severalMs, askedMs > 0 ? askedMs : usualMs);
  }

  #moment(): BreakerMoment {
    const { state, openUntilMs } = this.#breaker;
    return { state, openUntilMs };
  }

  /** Acts on a change of the circuit: an open one empties the queue and starts the timer of the next probe. */
  #tell(before: BreakerMoment, why?: Omit<CircuitOpening, 'forMs'>): void {
    const { state, openUntilMs } = this.#breaker;
    if (why) this.#failure = why.failure;
    const changed = state !== before.state;
    if (!changed && (state !== 'open' || openUntilMs - before.openUntilMs < this.#cooldownMs)) return;
    if (changed && state === 'open') {
      for (const { resolve } of this.#queue.take(() => true)) resolve(this.#refusal());
      void this.#awaitProbe();
    }
    // A record that is taken may be the one that fills the breaker's window: the failure before it is the reason.
    const failure = this.#failure;
    const opening = state === 'open' && failure ? { ...why, failure, forMs: this.#refusal().retryInMs } : undefined;
    for (const listener of this.#listeners) listener(state, opening);
    void this.#pump();
  }

  async #awaitProbe(): Promise<void> {
    if (this.#timing) return;
    this.#timing = true;
    try {
      while (this.#breaker.state === 'open') {
        await this.#clock.sleep(this.#breaker.openUntilMs - this.#clock.monotonicMs(), this.#closed.signal);
        this.#tick();
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#timing = false;
    }
  }

  #tick(): void {
    if (this.#breaker.state !== 'open') return;
    const before = this.#moment();
    this.#breaker.tick(this.#clock.monotonicMs());
    this.#tell(before);
  }

  #refusal(): CircuitOpen {
    const retryInMs = Math.max(1, Math.ceil(this.#breaker.openUntilMs - this.#clock.monotonicMs()));
    return { kind: 'circuit-open', retryInMs };
  }
}

/**
 * What a request says of its target. A record that was taken, or was rejected for what it is, shows that the target
 * works; where it refuses us even once, the next request would fare no better.
 */
function verdictOf(outcomes: readonly DeliveryOutcome[]): 'success' | 'failure' | 'refused' | 'unknown' {
  if (outcomes.some(isRefusal)) return 'refused';
  // What was never sent says nothing, and does not speak for those that were.
  const sent = outcomes.filter((outcome) => !(outcome.kind === 'rejected' && outcome.unsent));
  if (sent.length === 0) return 'unknown';
  return sent.every(({ kind }) => kind === 'retry') ? 'failure' : 'success';
}

function isTooMany(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'retry' && outcome.failure.httpStatus === 429;
}

/** Before all else what a log is to name. */
function isRefusal({ kind }: DeliveryOutcome): boolean {
  return kind === 'misconfigured';
}

function longestAsked(failed: readonly FailedOutcome[], of: (status: number | undefined) => boolean): number {
  const asked = failed.map((outcome) =>
    outcome.kind === 'retry' && of(outcome.failure.httpStatus) ? (outcome.retryAfterMs ?? 0) : 0,
  );
  return Math.max(0, ...asked);
}
