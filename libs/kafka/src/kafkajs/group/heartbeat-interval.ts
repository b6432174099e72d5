import type { Clock } from '@genesys-kafka/resilience';

/**
 * When a member's next heartbeat is due, in the place of kafkajs's number of milliseconds: it adds that to the moment of
 * the last one by the wall clock, and one that is set back by an hour would silence the member for as long. This is due
 * by the monotonic clock, whatever it is added to (see taps.ts).
 */
export class HeartbeatInterval {
  readonly #ms: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #lastMs = -Infinity;

  constructor(ms: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#ms = ms;
    this.#clock = clock;
  }

  /** One was answered. */
  beaten(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** How long ago that was, in milliseconds. */
  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#lastMs;
  }

  /** What kafkajs reckons with: of the past where one is due, else never to come. */
  valueOf(): number {
    return this.#clock.monotonicMs() - this.#lastMs >= this.#ms ? -Infinity : Infinity;
  }
}
