import type { OrganisationClock } from './organisation-clock.ts';

export interface AvailabilityOptions {
  /** How far the data lake is behind the organisation. */
  readonly lagMs: number;
  /** It moves in steps of this length, at multiples of it since the epoch; 0: all the time. */
  readonly stepMs: number;
  /** Fixed from the start. */
  readonly fixedMs?: number | undefined;
}

/** The data lake's watermark, `dataAvailabilityDate`: data before it is complete, data from it on is not there. */
export class Availability {
  readonly #clock: OrganisationClock;
  readonly #options: AvailabilityOptions;
  #fixedMs: number | undefined;

  constructor(clock: OrganisationClock, options: AvailabilityOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#fixedMs = options.fixedMs;
  }

  nowMs(): number {
    const { lagMs, stepMs } = this.#options;
    const ms = this.#fixedMs ?? this.#clock.nowMs() - lagMs;
    return this.#fixedMs === undefined && stepMs > 0 ? Math.floor(ms / stepMs) * stepMs : ms;
  }

  /** Stays there; undefined: follows the clock again. */
  fix(ms: number | undefined): void {
    this.#fixedMs = ms;
  }
}
