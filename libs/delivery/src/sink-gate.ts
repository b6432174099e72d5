import { SlidingWindow, systemClock, type Clock, type Permit } from '@genesys-kafka/resilience';
import { CircuitBreaker, type BreakerOptions, type CircuitState } from './circuit-breaker.ts';
import { PriorityQueue, type Priority } from './priority-queue.ts';
import type { DeliveryFailure, DeliveryOutcome } from './sink.ts';

export interface SinkGateOptions {
  /** Requests at the same time, all routes together. */
  readonly concurrency: number;
  /** At most `max` requests written in any `perMs` milliseconds, wherever they waited for their connection. */
  readonly rate?: { readonly max: number; readonly perMs: number };
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

/** A request that waits for its turn. */
interface Waiting {
  readonly signal: AbortSignal;
  readonly deliver: (onWritten: () => void) => Promise<readonly DeliveryOutcome[]>;
  readonly resolve: (answer: readonly DeliveryOutcome[] | CircuitOpen) => void;
  readonly reject: (error: unknown) => void;
}

type FailedOutcome = Exclude<DeliveryOutcome, { readonly kind: 'delivered' }>;
type BreakerMoment = Pick<CircuitBreaker, 'state' | 'openUntilMs'>;
type Listener = (state: CircuitState, opening?: CircuitOpening) => void;

/** So many answers in a row, of whichever records, that ask to wait speak of the target and not of a record. */
const SEVERAL = 3;

/**
 * What the requests of all routes of one sink go through: a priority queue, a concurrency bound, a rate and a circuit
 * breaker. Each counts requests, however many records are in one. While the circuit is open nothing is sent and nothing
 * waits here; while it is half-open one request is the probe and the others wait for its result. A 429 with Retry-After
 * holds everybody for that time, and so do other answers with it where several come in a row; by opening the circuit
 * where it is longer than the cooldown, and never for longer than `maxWaitMs`.
 */
export class SinkGate {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #window: SlidingWindow | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #cooldownMs: number;
  readonly #queue = new PriorityQueue<Waiting>();
  /** Listened to once each: a signal looks through all of its listeners for each one more. */
  readonly #heard = new WeakSet<AbortSignal>();
  readonly #listeners: Listener[] = [];
  readonly #closed = new AbortController();
  #active = 0;
  #heldUntilMs = 0;
  #askedInRowMs: readonly number[] = [];
  #refusals = 0;
  #pumping = false;
  #timing = false;

  constructor(options: SinkGateOptions) {
    const { breaker } = options;
    this.#clock = options.clock ?? systemClock;
    this.#concurrency = options.concurrency;
    this.#window = options.rate && new SlidingWindow({ ...options.rate, clock: this.#clock });
    this.#breaker = new CircuitBreaker(breaker);
    this.#cooldownMs = breaker.cooldownMs;
  }

  get state(): CircuitState {
    return this.#breaker.state;
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
    priority: Priority,
    signal: AbortSignal,
    deliver: (onWritten: () => void) => Promise<readonly DeliveryOutcome[]>,
  ): Promise<readonly DeliveryOutcome[] | CircuitOpen> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.#tick();
    if (this.#breaker.state === 'open') return Promise.resolve(this.#refusal());
    const { promise, resolve, reject } = Promise.withResolvers<readonly DeliveryOutcome[] | CircuitOpen>();
    this.#queue.push(priority, { signal, deliver, resolve, reject });
    this.#hear(signal);
    void this.#pump();
    return promise;
  }

  /** Opens the circuit at once, for `askedMs` milliseconds: for a wait that the retry tiers do not cover. */
  trip(askedMs: number, failure: DeliveryFailure): void {
    const before = this.#moment();
    this.#breaker.trip(askedMs, this.#clock.monotonicMs());
    this.#tell(before, { failure, askedMs });
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

  async #start({ deliver, resolve, reject }: Waiting, permit: Permit | undefined): Promise<void> {
    const token = this.#breaker.start();
    this.#active += 1;
    try {
      const outcomes = await deliver(() => permit?.begun());
      this.#settle(outcomes, token);
      resolve(outcomes);
    } catch (error) {
      this.#breaker.report(token, 'unknown', this.#clock.monotonicMs());
      reject(error);
    } finally {
      permit?.done();
      this.#active -= 1;
      void this.#pump();
    }
  }

  /** Starts what may start. One pump at a time: it alone asks for permits, and picks who goes once it has one. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#mayStart()) {
        const heldMs = this.#heldUntilMs - this.#clock.monotonicMs();
        if (heldMs > 0) {
          await this.#clock.sleep(heldMs, this.#closed.signal);
          continue;
        }
        const permit = this.#window && (await this.#window.permit(this.#closed.signal));
        // Meanwhile a 429 may have come, the circuit may have opened, the last caller may have gone.
        if (permit && (!this.#mayStart() || this.#heldUntilMs > this.#clock.monotonicMs())) {
          permit.done();
          continue;
        }
        void this.#start(this.#queue.shift()!, permit);
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#pumping = false;
    }
  }

  #mayStart(): boolean {
    return this.#queue.size > 0 && this.#active < this.#concurrency && this.#breaker.admits;
  }

  #settle(outcomes: readonly DeliveryOutcome[], token: number): void {
    const before = this.#moment();
    const nowMs = this.#clock.monotonicMs();
    const verdict = verdictOf(outcomes);
    // What comes back while the circuit is open was sent before.
    if (before.state !== 'open' && verdict !== 'unknown')
      this.#refusals = verdict === 'refused' ? this.#refusals + 1 : 0;
    this.#breaker.report(token, verdict, nowMs);
    const failed = outcomes.filter((outcome) => outcome.kind !== 'delivered');
    const holdMs = this.#holdMs(failed);
    if (holdMs > this.#cooldownMs) this.#breaker.trip(holdMs, nowMs);
    else this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + holdMs);
    const failure = (failed.find(isRefusal) ?? failed[0])?.failure;
    this.#tell(before, failure && { failure, ...(holdMs > 0 ? { askedMs: holdMs } : {}) });
  }

  /** Milliseconds for which this answer holds everybody: a 429 does alone, other answers where several ask in a row. */
  #holdMs(failed: readonly FailedOutcome[]): number {
    if (failed.length === 0) {
      this.#askedInRowMs = [];
      return 0;
    }
    const inRowMs = longestAsked(failed, (status) => status !== 429);
    this.#askedInRowMs = inRowMs === 0 ? [] : [...this.#askedInRowMs, inRowMs].slice(-SEVERAL);
    const severalMs = this.#askedInRowMs.length === SEVERAL ? Math.min(...this.#askedInRowMs) : 0;
    return Math.max(
      severalMs,
      longestAsked(failed, (status) => status === 429),
    );
  }

  #moment(): BreakerMoment {
    const { state, openUntilMs } = this.#breaker;
    return { state, openUntilMs };
  }

  /** Acts on a change of the circuit: an open one empties the queue and starts the timer of the next probe. */
  #tell(before: BreakerMoment, why?: Omit<CircuitOpening, 'forMs'>): void {
    const { state, openUntilMs } = this.#breaker;
    const changed = state !== before.state;
    if (!changed && (state !== 'open' || openUntilMs - before.openUntilMs < this.#cooldownMs)) return;
    if (changed && state === 'open') {
      for (const { resolve } of this.#queue.take(() => true)) resolve(this.#refusal());
      void this.#awaitProbe();
    }
    const opening = state === 'open' && why ? { ...why, forMs: this.#refusal().retryInMs } : undefined;
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
  if (outcomes.every((outcome) => outcome.kind === 'rejected' && outcome.unsent)) return 'unknown';
  return outcomes.every(({ kind }) => kind === 'retry') ? 'failure' : 'success';
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
