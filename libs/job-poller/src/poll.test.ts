import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { JobError } from './errors.ts';
import { pollUntilDone, type JobStatus } from './poll.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

/** Answers with these statuses in turn, the last one again and again, and notes when it was asked. */
function job(clock: ManualClock, ...statuses: JobStatus[]) {
  const askedMs: number[] = [];
  const status = async (): Promise<JobStatus> => {
    askedMs.push(clock.monotonicMs());
    return statuses[Math.min(askedMs.length, statuses.length) - 1]!;
  };
  return { askedMs, status };
}

const pending: JobStatus = { state: 'pending' };

test('polls at once, then after 2 s, each wait 1.5 times the last, at most 30 s, with up to 1 s of jitter', async () => {
  const clock = new ManualClock();
  const api = job(clock, ...Array.from({ length: 10 }, () => pending), { state: 'done' });
  const done = pollUntilDone(api, 'j', { clock, random: () => 0.5, signal: never });
  await clock.advance(HOUR_MS);
  assert.deepEqual(await done, { state: 'done' });
  const waits = api.askedMs.slice(1).map((atMs, index) => atMs - (api.askedMs[index] ?? 0));
  assert.deepEqual(
    waits.map((waitMs) => Math.round(waitMs)),
    [2500, 3500, 5000, 7250, 10_625, 15_688, 23_281, 30_500, 30_500, 30_500],
  );
});

for (const jumpMs of [-24 * HOUR_MS, 24 * HOUR_MS]) {
  test(`a clock that is set by ${jumpMs} ms while a job is polled changes no wait`, async () => {
    const clock = new ManualClock();
    const api = job(clock, pending, pending, { state: 'done' });
    const done = pollUntilDone(api, 'j', { clock, random: () => 0, signal: never });
    await clock.advance(1000);
    clock.jump(jumpMs);
    await clock.advance(HOUR_MS);
    assert.deepEqual(await done, { state: 'done' });
    assert.deepEqual(api.askedMs, [0, 2000, 5000]);
  });
}

test('a wait that Genesys names replaces ours', async () => {
  const clock = new ManualClock();
  const api = job(clock, { state: 'pending', retryAfterMs: 7000 }, pending, { state: 'done' });
  const done = pollUntilDone(api, 'j', { clock, random: () => 0, signal: never });
  await clock.advance(HOUR_MS);
  await done;
  assert.deepEqual(api.askedMs, [0, 7000, 10_000]);
});

test('the done status comes back whole', async () => {
  const clock = new ManualClock();
  const status: JobStatus = { state: 'done', resultsUrl: 'https://files.example/a.zip' };
  const done = pollUntilDone(job(clock, pending, status), 'j', { clock, signal: never });
  await clock.advance(5000);
  assert.equal(await done, status);
});

for (const state of ['failed', 'cancelled', 'expired'] as const) {
  test(`a job that ${state} ends the wait with a typed error of its source`, async () => {
    const clock = new ManualClock();
    const api = job(clock, { state, message: 'because' });
    await assert.rejects(pollUntilDone(api, 'job-7', { clock, signal: never }), (error) => {
      assert.ok(error instanceof JobError);
      assert.equal(error.code, `job-${state}`);
      assert.equal(error.scope, 'source');
      assert.equal(error.retry, false);
      assert.match(error.message, /job-7 .*because.*Run the same command again/);
      return true;
    });
  });
}

test('the wait has an end, exactly at its limit, and says that the job goes on', async () => {
  const clock = new ManualClock();
  const api = job(clock, pending);
  const waiting = assert.rejects(pollUntilDone(api, 'j', { clock, signal: never }), (error) => {
    assert.ok(error instanceof JobError);
    assert.equal(error.code, 'job-still-running');
    assert.equal(error.retry, true);
    assert.match(error.message, /after 360 minutes.*keeps running.*waits for this job/);
    return true;
  });
  await clock.advance(6 * HOUR_MS);
  await waiting;
  assert.equal(api.askedMs.at(-1), 6 * HOUR_MS);
});

test('an abort ends the wait at once with its reason, and the api’s own error passes as it is', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const waiting = assert.rejects(pollUntilDone(job(clock, pending), 'j', { clock, signal: abort.signal }), /stop/);
  await clock.advance(100);
  abort.abort(new Error('stop'));
  await waiting;
  assert.equal(clock.sleeping, 0);
  const gone = new OperationalError('job-gone', 'gone', { scope: 'source' });
  const failing = { status: async () => Promise.reject(gone) };
  await assert.rejects(pollUntilDone(failing, 'j', { clock, signal: never }), (error) => error === gone);
});
