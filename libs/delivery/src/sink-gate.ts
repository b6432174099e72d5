import { SlidingWindow, systemClock, type Clock } from '@genesys-kafka/resilience';
import { CircuitBreaker, type BreakerOptions, type CircuitState } from './circuit-breaker.ts';
import { PriorityQueue, type Priority } from './priority-queue.ts';
import type { DeliveryOutcome } from './sink.ts';

export interface SinkGateOptions {
  /** Requests at the same time, all routes together. */
  readonly concurrency: number;
  /** At most `max` requests started in any `perMs` milliseconds. */
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

/**
 * What the requests of all routes of one sink go through: a priority queue, a concurrency bound, a rate and a circuit
 * breaker. Each counts requests, however many records are in one. While the circuit is open nothing is sent and nothing
 * waits here; while it is half-open one request is the probe and the others wait for its result. A 429 with Retry-After
 * holds everybody for that time, by opening the circuit where it is longer than the cooldown.
 */
export class SinkGate {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #window: SlidingWindow | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #cooldownMs: number;
  readonly #queue = new PriorityQueue<(turn: number | CircuitOpen) => void>();
  readonly #listeners: ((state: CircuitState) => void)[] = [];
  readonly #closed = new AbortController();
  #active = 0;
  #heldUntilMs = 0;
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

  /**
   * Waits for a turn, calls `deliver` and resolves with its outcomes; or resolves with `circuit-open` without calling
   * it. Rejects with the signal's reason when that aborts before the turn, and with whatever `deliver` rejects with.
   */
  async run(
    priority: Priority,
    signal: AbortSignal,
    deliver: () => Promise<readonly DeliveryOutcome[]>,
  ): Promise<readonly DeliveryOutcome[] | CircuitOpen> {
    signal.throwIfAborted();
    this.#tick();
    if (this.#breaker.state === 'open') return this.#refusal();
    const turn = await this.#turn(priority, signal);
    if (typeof turn === 'object') return turn;
    try {
      const outcomes = await deliver();
      this.#settle(outcomes, turn);
      return outcomes;
    } catch (error) {
      this.#breaker.report(turn, 'unknown', this.#clock.monotonicMs());
      throw error;
    } finally {
      this.#active -= 1;
      void this.#pump();
    }
  }

  /** Opens the circuit at once, for `forMs` milliseconds: for a wait that the retry tiers do not cover. */
  trip(forMs: number): void {
    const before = this.#breaker.state;
    this.#breaker.trip(forMs, this.#clock.monotonicMs());
    this.#tell(before);
  }

  /** `listener` is told after each change of the circuit. */
  onChange(listener: (state: CircuitState) => void): void {
    this.#listeners.push(listener);
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

  #settle(outcomes: readonly DeliveryOutcome[], token: number): void {
    const before = this.#breaker.state;
    const nowMs = this.#clock.monotonicMs();
    this.#breaker.report(token, verdictOf(outcomes), nowMs);
    const holdMs = outcomes.reduce((longest, outcome) => Math.max(longest, askedToHold(outcome)), 0);
    if (holdMs > this.#cooldownMs) this.#breaker.trip(holdMs, nowMs);
    else this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + holdMs);
    this.#tell(before);
  }

  /** Acts on a change of the circuit: an open one empties the queue and starts the timer of the next probe. */
  #tell(before: CircuitState): void {
    const { state } = this.#breaker;
    if (state === before) return;
    if (state === 'open') {
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
    const retryInMs = Math.max(1, Math.ceil(this.#breaker.openUntilMs - this.#clock.monotonicMs()));
    return { kind: 'circuit-open', retryInMs };
  }
}

/**
 * What a request says of its target. A record that was taken, or was rejected for what it is, shows that the target
 * works; where it refuses us even once, the next request would fare no better.
 */
function verdictOf(outcomes: readonly DeliveryOutcome[]): 'success' | 'failure' | 'refused' {
  if (outcomes.some(({ kind }) => kind === 'misconfigured')) return 'refused';
  return outcomes.every(({ kind }) => kind === 'retry') ? 'failure' : 'success';
}

/** Milliseconds for which a 429 with Retry-After holds everybody. */
function askedToHold(outcome: DeliveryOutcome): number {
  return outcome.kind === 'retry' && outcome.failure.httpStatus === 429 ? (outcome.retryAfterMs ?? 0) : 0;
}
