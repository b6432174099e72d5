import { randomUUID } from 'node:crypto';
import type { ArchiveRequest, ArchiveStore, StoredArchive } from '../archives/archive-store.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { JobLimits } from '../limits/job-limits.ts';
import { phaseOf } from './job-clock.ts';
import type { JobTiming } from './job-clock.ts';

export interface ArchiveJob {
  readonly id: string;
  /** Names the query: equal keys share an archive. */
  readonly key: string;
  readonly conversations: Conversations;
  readonly indexes: Uint32Array;
  readonly submittedMs: number;
  archive?: StoredArchive;
  failure?: string;
}

/** Names the archive of other bytes that a fault puts in the place of this one. */
export function changedKey(key: string): string {
  return `${key} changed`;
}

export type ArchiveState = 'QUEUED' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** The archive jobs of this run. A job is complete when its time is up and its archive is on disk. */
export class ArchiveJobs {
  /** How many there have been. */
  count = 0;
  readonly #jobs = new Map<string, ArchiveJob>();
  readonly #timing: JobTiming;
  readonly #limits: JobLimits;
  readonly #store: ArchiveStore;
  readonly #now: () => number;

  constructor(timing: JobTiming, parts: { limits: JobLimits; store: ArchiveStore; now: () => number }) {
    this.#timing = timing;
    ({ limits: this.#limits, store: this.#store, now: this.#now } = parts);
  }

  /** Starts a job whose archive comes later. */
  submit(request: ArchiveRequest): ArchiveJob {
    this.#forget();
    const job: ArchiveJob = { id: randomUUID(), ...request, submittedMs: this.#now() };
    this.#jobs.set(job.id, job);
    this.count += 1;
    const isOpen = () => this.find(job.id) !== undefined && ['QUEUED', 'IN_PROGRESS'].includes(this.state(job));
    this.#limits.opened({ isOpen, endsMs: job.submittedMs + this.#timing.durationMs });
    this.#store.get(request).then(
      (stored) => (job.archive = stored),
      (error: unknown) => (job.failure = `The archive could not be written: ${String(error)}`),
    );
    return job;
  }

  /** Undefined for a job that is unknown, or whose results have expired: the platform forgets those. */
  find(id: string): ArchiveJob | undefined {
    const job = this.#jobs.get(id);
    return job && phaseOf(job.submittedMs, this.#now(), this.#timing) !== 'expired' ? job : undefined;
  }

  state(job: ArchiveJob): ArchiveState {
    if (job.failure !== undefined) return 'FAILED';
    const phase = phaseOf(job.submittedMs, this.#now(), this.#timing);
    if (phase === 'waiting') return 'QUEUED';
    return phase === 'done' && job.archive ? 'COMPLETED' : 'IN_PROGRESS';
  }

  /** Jobs whose results expired so long ago that nobody can be reading them: their archives leave the disk. */
  #forget(): void {
    const { durationMs, resultsMs } = this.#timing;
    for (const job of this.#jobs.values()) {
      if (this.#now() - job.submittedMs < durationMs + 2 * resultsMs) return;
      this.#jobs.delete(job.id);
      const isShared = this.#jobs.values().some((other) => other.key === job.key);
      if (!isShared) for (const key of [job.key, changedKey(job.key)]) void this.#store.drop(key);
    }
  }
}
