import { randomUUID } from 'node:crypto';
import type { Conversations } from '../conversations/conversations.ts';
import type { JobLimits } from '../limits/job-limits.ts';
import { phaseOf } from './job-clock.ts';
import type { JobTiming } from './job-clock.ts';

export type DetailsState = 'QUEUED' | 'PENDING' | 'FULFILLED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';

/** What a job found, as the data lake was when it was submitted: all of its pages are made of this. */
export interface Found {
  readonly conversations: Conversations;
  readonly indexes: Uint32Array;
  /** The watermark; the pages report it. */
  readonly availableMs: number;
  /** The organisation's time. */
  readonly atMs: number;
}

export interface DetailsJob {
  readonly id: string;
  /** Empty once the results have expired. */
  found: Found;
  readonly submittedMs: number;
  /** It will fail when its time is up. */
  failure?: string;
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

const NONE = new Uint32Array();

/**
 * The details jobs of this run; a restarted simulator knows none, as the platform forgets old ones. They run and expire
 * by the real time, as requests do; their dates are the organisation's.
 */
export class DetailsJobs {
  readonly #jobs = new Map<string, DetailsJob>();
  readonly #withResults = new Set<string>();
  readonly #timing: JobTiming;
  readonly #limits: JobLimits;
  readonly #now: () => number;

  constructor(timing: JobTiming, limits: JobLimits, now: () => number) {
    this.#timing = timing;
    this.#limits = limits;
    this.#now = now;
  }

  get count(): number {
    return this.#jobs.size;
  }

  submit(found: Found, failure?: string): DetailsJob {
    this.#forgetResults();
    const job: DetailsJob = { id: randomUUID(), found, submittedMs: this.#now() };
    if (failure !== undefined) job.failure = failure;
    this.#jobs.set(job.id, job);
    this.#withResults.add(job.id);
    const isOpen = () => ['QUEUED', 'PENDING'].includes(this.state(job));
    this.#limits.opened({ isOpen, endsMs: job.submittedMs + this.#timing.durationMs });
    return job;
  }

  find(id: string): DetailsJob | undefined {
    return this.#jobs.get(id);
  }

  state(job: DetailsJob): DetailsState {
    const state = job.forced?.state ?? STATES[phaseOf(job.submittedMs, this.#now(), this.#timing)];
    return state === 'FULFILLED' && job.failure !== undefined ? 'FAILED' : state;
  }

  status(job: DetailsJob): DetailsStatus {
    const state = this.state(job);
    const message = job.forced ? job.forced.message : job.failure;
    const completedMs = job.found.atMs + this.#timing.durationMs;
    const ended = state === 'FULFILLED' || state === 'EXPIRED';
    return {
      state,
      ...(state === 'FAILED' ? { errorMessage: message ?? 'The query failed.' } : {}),
      submissionDate: new Date(job.found.atMs).toISOString(),
      ...(ended ? { completionDate: new Date(completedMs).toISOString() } : {}),
      ...(ended ? { expirationDate: new Date(completedMs + this.#timing.resultsMs).toISOString() } : {}),
    };
  }
  /** What an expired job found is let go of; jobs expire in the order in which they were submitted. */
  #forgetResults(): void {
    for (const id of this.#withResults) {
      const job = this.#jobs.get(id);
      if (job && phaseOf(job.submittedMs, this.#now(), this.#timing) !== 'expired') return;
      if (job) job.found = { ...job.found, indexes: NONE };
      this.#withResults.delete(id);
    }
  }
}
