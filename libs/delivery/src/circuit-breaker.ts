// Our own, not cockatiel 4: its sampling breaker counts by Date.now() and calls per second (the setting here is
// "50 % of the last 20"), cannot be opened by one answer (401) or for a time the target named, takes no clock, and
// goes half-open only when called, while here paused partitions must be told when to come back.
export type CircuitState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Share of failures that opens the circuit, above 0 to 1. */
  readonly errors: number;
  /** Over how many of the last deliveries; with fewer it stays closed. */
  readonly over: number;
  /** How long it stays open before a probe. */
  readonly cooldownMs: number;
  /** However far away a moment the target names, it is probed after this. */
  readonly maxWaitMs: number;
}

/**
 * Closed → open when `errors` of the last `over` results failed, or at once by `trip`; open → half-open when the time
 * is up; half-open → closed or open again by the result of one probe. Pure: the caller brings the monotonic time.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #state: CircuitState = 'closed';
  #openUntilMs = 0;
  #last: boolean[] = [];
  /** Among the last. */
  #failures = 0;
  #probing = false;
  /** Results of calls that began before the last change of state say nothing about now. */
  #generation = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Monotonic moment of the next probe; meaningful while open. */
  get openUntilMs(): number {
    return this.#openUntilMs;
  }

  /** Whether a call may start now: any while closed, one at a time while half-open. */
  get admits(): boolean {
    return this.#state === 'closed' || (this.#state === 'half-open' && !this.#probing);
  }

  /** Marks a call as started; its result is reported with the token. Only while `admits`. */
  start(): number {
    if (this.#state === 'half-open') this.#probing = true;
    return this.#generation;
  }

  /** Turns open into half-open when its time has come. */
  tick(nowMs: number): void {
    if (this.#state === 'open' && nowMs >= this.#openUntilMs) this.#become('half-open');
  }

  /** A call ended: well, badly, refused (opens at once), or without telling anything of the target (aborted). */
  report(token: number, result: 'success' | 'failure' | 'refused' | 'unknown', nowMs: number): void {
    if (token !== this.#generation) return;
    if (result === 'refused') {
      this.trip(this.#options.cooldownMs, nowMs);
      return;
    }
    if (this.#state === 'half-open') {
      this.#probing = false;
      if (result === 'success') this.#become('closed');
      else if (result === 'failure') this.trip(this.#options.cooldownMs, nowMs);
      return;
    }
    if (result === 'unknown') return;
    this.#last.push(result === 'failure');
    if (result === 'failure') this.#failures += 1;
    if (this.#last.length > this.#options.over && this.#last.shift()!) this.#failures -= 1;
    if (this.#last.length === this.#options.over && this.#failures >= this.#options.errors * this.#options.over)
      this.trip(this.#options.cooldownMs, nowMs);
  }

  /** Opens at once for `forMs` (at most `maxWaitMs`), or prolongs an open circuit; never shortens it. */
  trip(forMs: number, nowMs: number): void {
    const { maxWaitMs, cooldownMs } = this.#options;
    const untilMs = nowMs + Math.min(forMs, Math.max(maxWaitMs, cooldownMs));
    this.#openUntilMs = this.#state === 'open' ? Math.max(this.#openUntilMs, untilMs) : untilMs;
    if (this.#state !== 'open') this.#become('open');
  }

  #become(state: CircuitState): void {
    this.#state = state;
    this.#generation += 1;
    this.#last = [];
    this.#failures = 0;
    this.#probing = false;
  }
}
