import { SlidingWindow, systemClock, type Clock } from '@genesys-kafka/resilience';
import { CircuitBreaker, type BreakerOptions, type CircuitState } from './circuit-breaker.ts';
import { RoutingOptionError } from './errors.ts';
import { PriorityQueue, type Priority } from './priority-queue.ts';
import type { DeliveryOutcome } from './sink.ts';

export type { CircuitState } from './circuit-breaker.ts';

export interface SinkGateOptions {
  /** Deliveries at the same time, all routes together. */
  readonly concurrency: number;
  /** At most `max` deliveries started in any `perMs` milliseconds. */
  readonly rate?: { readonly max: number; readonly perMs: number };
  /** Default: half of the last 20, 30 s. A circuit also opens at once when the target refuses us (401, 403, 3xx). */
  readonly breaker?: BreakerOptions;
  readonly clock?: Clock;
}

/** The record was not sent. Call `run` again in `retryInMs`, or when the circuit is told to be half-open or closed. */
export interface CircuitOpen {
  readonly kind: 'circuit-open';
  /** Milliseconds since the epoch, for people; wait by `retryInMs`, which no clock change touches. At least 1. */
  readonly retryAtMs: number;
  readonly retryInMs: number;
}

/** For metrics: levels first, then counters since the start. */
export interface SinkGateStats {
  readonly state: CircuitState;
  readonly active: number;
  readonly waiting: Readonly<Record<Priority, number>>;
  readonly outcomes: Readonly<Record<DeliveryOutcome['kind'], number>>;
  /** Calls of `run` answered with `circuit-open`. */
  readonly refused: number;
  /** Times the circuit opened. */
  readonly opened: number;
}

/** What an outcome says of the target: a record it rejects shows that it is alive. */
const VERDICT = { delivered: 'success', rejected: 'success', retry: 'failure', misconfigured: 'refused' } as const;

const DEFAULT_BREAKER: BreakerOptions = { errors: 0.5, over: 20, cooldownMs: 30_000 };

/**
 * What all routes of one sink go through: a priority queue, a concurrency bound, a rate and a circuit breaker.
 * While the circuit is open nothing is sent and nothing waits here; while it is half-open one delivery is the probe
 * and the others wait for its result. A 429 with Retry-After holds everybody for that time, by opening the circuit
 * where it is longer than the cooldown.
 */
export class SinkGate {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #window: SlidingWindow | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #cooldownMs: number;
  readonly #queue = new PriorityQueue<(turn: number | CircuitOpen) => void>();
  readonly #listeners = new Set<(state: CircuitState) => void>();
  readonly #closed = new AbortController();
  readonly #outcomes = { delivered: 0, retry: 0, rejected: 0, misconfigured: 0 };
  #active = 0;
  #refused = 0;
  #opened = 0;
  #heldUntilMs = 0;
  #pumping = false;
  #timing = false;

  constructor(options: SinkGateOptions) {
    checkOptions(options);
    const breaker = options.breaker ?? DEFAULT_BREAKER;
    this.#clock = options.clock ?? systemClock;
    this.#concurrency = options.concurrency;
    this.#window = options.rate && new SlidingWindow({ ...options.rate, clock: this.#clock });
    this.#breaker = new CircuitBreaker(breaker);
    this.#cooldownMs = breaker.cooldownMs;
  }

  get state(): CircuitState {
    return this.#breaker.state;
  }

  /**
   * Waits for a turn, calls `deliver` and resolves with its outcome; or resolves with `circuit-open` without calling
   * it. Rejects with the signal's reason when that aborts before the turn, and with whatever `deliver` rejects with.
   */
  async run(
    priority: Priority,
    signal: AbortSignal,
    deliver: () => Promise<DeliveryOutcome>,
  ): Promise<DeliveryOutcome | CircuitOpen> {
    signal.throwIfAborted();
    this.#tick();
    if (this.#breaker.state === 'open') return this.#refusal();
    const turn = await this.#turn(priority, signal);
    if (typeof turn === 'object') return turn;
    try {
      const outcome = await deliver();
      this.#settle(outcome, turn);
      return outcome;
    } catch (error) {
      this.#breaker.report(turn, 'unknown', this.#clock.monotonicMs());
      throw error;
    } finally {
      this.#active -= 1;
      void this.#pump();
    }
  }

  /** Opens the circuit at once, for `forMs` or the cooldown: for a wait that the retry tiers do not cover. */
  trip(forMs: number = this.#cooldownMs): void {
    const before = this.#breaker.state;
    this.#breaker.trip(forMs, this.#clock.monotonicMs());
    this.#tell(before);
  }

  /** Told after each change of the circuit; returns how to stop being told. */
  onChange(listener: (state: CircuitState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stats(): SinkGateStats {
    const waiting = {
      high: this.#queue.waiting('high'),
      normal: this.#queue.waiting('normal'),
      low: this.#queue.waiting('low'),
    };
    const { state } = this.#breaker;
    const outcomes = { ...this.#outcomes };
    return { state, active: this.#active, waiting, outcomes, refused: this.#refused, opened: this.#opened };
  }

  /** Ends the gate's own timers. Callers end their waits by their signals. */
  close(): void {
    this.#closed.abort(new Error('the gate is closed'));
  }

  /** Resolves with the breaker's token when this call may start (its slot is taken), or with a refusal. */
  async #turn(priority: Priority, signal: AbortSignal): Promise<number | CircuitOpen> {
    const { promise, resolve, reject } = Promise.withResolvers<number | CircuitOpen>();
    const onAbort = () => {
      this.#queue.delete(priority, resolve);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#queue.push(priority, resolve);
    void this.#pump();
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
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
        if (this.#window) {
          await this.#window.acquire(this.#closed.signal);
          // Meanwhile a 429 may have come, the circuit may have opened, the last caller may have gone.
          if (!this.#mayStart() || this.#heldUntilMs > this.#clock.monotonicMs()) continue;
        }
        this.#active += 1;
        this.#queue.shift()!(this.#breaker.start());
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

  #settle(outcome: DeliveryOutcome, token: number): void {
    this.#outcomes[outcome.kind] += 1;
    const before = this.#breaker.state;
    const nowMs = this.#clock.monotonicMs();
    this.#breaker.report(token, VERDICT[outcome.kind], nowMs);
    if (outcome.kind === 'retry' && outcome.failure.httpStatus === 429 && outcome.retryAfterMs !== undefined) {
      if (outcome.retryAfterMs > this.#cooldownMs) this.#breaker.trip(outcome.retryAfterMs, nowMs);
      else this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + outcome.retryAfterMs);
    }
    this.#tell(before);
  }

  /** Acts on a change of the circuit: an open one empties the queue and starts the timer of the next probe. */
  #tell(before: CircuitState): void {
    const { state } = this.#breaker;
    if (state === before) return;
    if (state === 'open') {
      this.#opened += 1;
      for (let entry = this.#queue.shift(); entry; entry = this.#queue.shift()) entry(this.#refusal());
      void this.#awaitProbe();
    }
    for (const listener of this.#listeners) listener(state);
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
    const before = this.#breaker.state;
    this.#breaker.tick(this.#clock.monotonicMs());
    this.#tell(before);
  }

  #refusal(): CircuitOpen {
    this.#refused += 1;
    const retryInMs = Math.max(1, Math.ceil(this.#breaker.openUntilMs - this.#clock.monotonicMs()));
    return { kind: 'circuit-open', retryAtMs: this.#clock.nowMs() + retryInMs, retryInMs };
  }
}

function checkOptions({ concurrency, rate, breaker }: SinkGateOptions): void {
  const positive = (option: string, value: number | undefined) => {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
      throw new RoutingOptionError(option, 'must be a whole number from 1');
  };
  positive('concurrency', concurrency);
  positive('rate.max', rate?.max);
  positive('rate.per', rate?.perMs);
  positive('breaker.over', breaker?.over);
  positive('breaker.cooldown', breaker?.cooldownMs);
  if (breaker && !(breaker.errors > 0 && breaker.errors <= 1))
    throw new RoutingOptionError('breaker.errors', 'must be above 0 % and at most 100 %');
}
