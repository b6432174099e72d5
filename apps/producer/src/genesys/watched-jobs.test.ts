import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobStatus, Window } from '@genesys-kafka/job-poller';
import type { Clock } from '@genesys-kafka/resilience';
import type { JobContract } from './job-contract.ts';
import { watchedJobs } from './watched-jobs.ts';

const { signal } = new AbortController();

function watched(answers: JobStatus[]) {
  const clock = { ms: 0 };
  const told: string[] = [];
  const later = (ms: number) => (clock.ms += ms);
  const contract = {
    submit: async () => String(later(1000)),
    status: async () => {
      later(500);
      return answers.shift()!;
    },
    release: async () => undefined,
  } as unknown as JobContract;
  const watcher = {
    onPoll: (seconds: number, state: string) => told.push(`poll ${seconds} ${state}`),
    onJobEnded: (seconds: number, state: string) => told.push(`job ${seconds} ${state}`),
  };
  const jobs = watchedJobs(contract, watcher, { monotonicMs: () => clock.ms } as Clock);
  return { jobs, told, later };
}

test('a job is timed from its submission to its end, and each poll of it', async () => {
  const { jobs, told, later } = watched([{ state: 'pending' }, { state: 'done' }, { state: 'done' }]);
  const id = await jobs.submit({} as Window, signal);
  await jobs.status(id, signal);
  later(4000);
  await jobs.status(id, signal);
  assert.deepEqual(told, ['poll 0.5 pending', 'poll 0.5 done', 'job 6 done']);
});

test('one that another process has submitted is timed from its first poll; one that was let go, anew', async () => {
  const { jobs, told, later } = watched([
    { state: 'pending' },
    { state: 'failed' },
    { state: 'pending' },
    { state: 'done' },
  ]);
  await jobs.status('a', signal);
  later(2000);
  await jobs.status('a', signal);
  await jobs.status('b', signal);
  await jobs.release('b');
  later(9000);
  await jobs.status('b', signal);
  assert.deepEqual(
    told.filter((line) => line.startsWith('job')),
    ['job 3 failed', 'job 0.5 done'],
  );
});
