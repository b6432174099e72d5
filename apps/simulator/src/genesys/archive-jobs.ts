import { randomUUID } from 'node:crypto';
import type { StoredArchive } from '../archives/archive-store.ts';
import { phaseOf } from './job-clock.ts';
import type { JobTiming } from './job-clock.ts';

export interface ArchiveJob {
  readonly id: string;
  /** Names the query: equal keys share an archive. */
  readonly key: string;
  readonly indexes: Uint32Array;
  readonly submittedMs: number;
  archive?: StoredArchive;
  failure?: string;
}

export type ArchiveState = 'QUEUED' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** The archive jobs of this run. A job is complete when its time is up and its archive is on disk. */
export class ArchiveJobs {
  readonly #jobs = new Map<string, ArchiveJob>();
  readonly #timing: JobTiming;
  readonly #now: () => number;

  constructor(timing: JobTiming, now: () => number) {
    this.#timing = timing;
    this.#now = now;
  }

  get count(): number {
    return this.#jobs.size;
  }

  /** Starts a job whose archive comes later. */
  submit(key: string, indexes: Uint32Array, archive: Promise<StoredArchive>): ArchiveJob {
    const job: ArchiveJob = { id: randomUUID(), key, indexes, submittedMs: this.#now() };
    this.#jobs.set(job.id, job);
    archive.then(
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
}
