import type { Refusals } from './refusals.ts';

/** A job of either contract, while it is neither done nor given up. */
export interface OpenJob {
  readonly isOpen: () => boolean;
  /** When it will be done, by time alone. */
  readonly endsMs: number;
}

export interface JobLimitOptions {
  /** So many jobs of the organisation may be open at once. Absent: any number. */
  readonly concurrent?: number | undefined;
  /** So many may be submitted within a second. Absent: any number. */
  readonly perSecond?: number | undefined;
}

const SECOND_MS = 1000;

/** What holds for the jobs of the whole organisation, whoever submits them. */
export class JobLimits {
  readonly #options: JobLimitOptions;
  readonly #refusals: Refusals;
  readonly #now: () => number;
  #open: OpenJob[] = [];
  #submittedMs: number[] = [];
  #mostOpen = 0;

  constructor(options: JobLimitOptions, refusals: Refusals, now: () => number) {
    this.#options = options;
    this.#refusals = refusals;
    this.#now = now;
  }

  /** The most that were open at once. */
  get mostOpen(): number {
    return this.#mostOpen;
  }

  /** @throws ApiError 429 where one job more would be one too many. */
  admit(token: string): void {
    const { concurrent = Infinity, perSecond = Infinity } = this.#options;
    const nowMs = this.#now();
    this.#submittedMs = this.#submittedMs.filter((ms) => nowMs - ms < SECOND_MS);
    if (this.#submittedMs.length >= perSecond) throw this.#refusals.refuse('submit-rate', token, 1);
    this.#open = this.#open.filter((job) => job.isOpen());
    if (this.#open.length >= concurrent) {
      const soonestMs = Math.min(...this.#open.map((job) => job.endsMs)) - nowMs;
      const seconds = Math.max(1, Math.ceil(soonestMs / SECOND_MS));
      throw this.#refusals.refuse('concurrent-jobs', token, seconds);
    }
    this.#refusals.pass('submit-rate', token);
    this.#refusals.pass('concurrent-jobs', token);
  }

  opened(job: OpenJob): void {
    this.#submittedMs.push(this.#now());
    this.#open.push(job);
    this.#open = this.#open.filter((one) => one.isOpen());
    this.#mostOpen = Math.max(this.#mostOpen, this.#open.length);
  }
}
