import { randomUUID } from 'node:crypto';
import { phaseOf } from './job-clock.ts';
import type { JobTiming } from './job-clock.ts';

export type DetailsState = 'QUEUED' | 'PENDING' | 'FULFILLED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';

export interface DetailsJob {
  readonly id: string;
  readonly indexes: Uint32Array;
  readonly submittedMs: number;
  /** The watermark when the job was submitted; its pages report it. */
  readonly availableMs: number;
  /** Set by a fault or a DELETE: no longer a matter of time. */
  forced?: { readonly state: 'FAILED' | 'CANCELLED' | 'EXPIRED'; readonly message: string | undefined };
}

/** AsyncQueryStatus. */
export interface DetailsStatus {
  readonly state: DetailsState;
  readonly errorMessage?: string;
  readonly submissionDate: string;
  readonly completionDate?: string;
  readonly expirationDate?: string;
}

const STATES = { waiting: 'QUEUED', running: 'PENDING', done: 'FULFILLED', expired: 'EXPIRED' } as const;

/** The details jobs of this run; a restarted simulator knows none, as the platform forgets old ones. */
export class DetailsJobs {
  readonly #jobs = new Map<string, DetailsJob>();
  readonly #timing: JobTiming;
  readonly #now: () => number;

  constructor(timing: JobTiming, now: () => number) {
    this.#timing = timing;
    this.#now = now;
  }

  get count(): number {
    return this.#jobs.size;
  }

  submit(indexes: Uint32Array, availableMs: number): DetailsJob {
    const job: DetailsJob = { id: randomUUID(), indexes, submittedMs: this.#now(), availableMs };
    this.#jobs.set(job.id, job);
    return job;
  }

  find(id: string): DetailsJob | undefined {
    return this.#jobs.get(id);
  }

  state(job: DetailsJob): DetailsState {
    return job.forced?.state ?? STATES[phaseOf(job.submittedMs, this.#now(), this.#timing)];
  }

  status(job: DetailsJob): DetailsStatus {
    const state = this.state(job);
    const completedMs = job.submittedMs + this.#timing.durationMs;
    const ended = state === 'FULFILLED' || state === 'EXPIRED';
    return {
      state,
      ...(job.forced?.state === 'FAILED' ? { errorMessage: job.forced.message ?? 'The query failed.' } : {}),
      submissionDate: new Date(job.submittedMs).toISOString(),
      ...(ended ? { completionDate: new Date(completedMs).toISOString() } : {}),
      ...(ended ? { expirationDate: new Date(completedMs + this.#timing.resultsMs).toISOString() } : {}),
    };
  }
}
