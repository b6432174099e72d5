import type { JobStatus } from '@genesys-kafka/job-poller';
import type { Clock } from '@genesys-kafka/resilience';
import type { JobContract } from './job-contract.ts';

export interface JobWatcher {
  /** A job's state was asked for, and answered after so long, waits for the budget included. */
  onPoll(seconds: number, state: JobStatus['state']): void;
  /** A job has ended, so long after it was submitted, or first asked for where another process had submitted it. */
  onJobEnded(seconds: number, state: JobStatus['state']): void;
}

/** The contract, with what its jobs and polls take told to `watcher`. */
export function watchedJobs(contract: JobContract, watcher: JobWatcher, clock: Clock): JobContract {
  const startedMs = new Map<string, number>();
  return {
    ...contract,
    submit: async (window, signal) => {
      const atMs = clock.monotonicMs();
      const jobId = await contract.submit(window, signal);
      startedMs.set(jobId, atMs);
      return jobId;
    },
    status: async (jobId, signal) => {
      const atMs = clock.monotonicMs();
      const sinceMs = startedMs.get(jobId) ?? atMs;
      startedMs.set(jobId, sinceMs);
      const status = await contract.status(jobId, signal);
      const nowMs = clock.monotonicMs();
      watcher.onPoll((nowMs - atMs) / 1000, status.state);
      if (status.state !== 'pending' && startedMs.delete(jobId)) {
        watcher.onJobEnded((nowMs - sinceMs) / 1000, status.state);
      }
      return status;
    },
    release: async (jobId) => {
      startedMs.delete(jobId);
      await contract.release(jobId);
    },
  };
}
