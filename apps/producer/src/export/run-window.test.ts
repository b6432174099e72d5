import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobStatus } from '@genesys-kafka/job-poller';
import { OperationalError } from '@genesys-kafka/resilience';
import { onlyPage, WindowBench } from '../../fixtures/window-bench.ts';

for (const [date, code] of [
  ['2026-01-01T12:00:00Z', 'not-yet-available'],
  ['2026-01-01T23:59:59', 'not-yet-available'],
  ['2026-01-01T12:00:00+0000', 'not-yet-available'],
  ['soon', 'availability-unreadable'],
  ['', 'availability-unreadable'],
  [17, 'availability-unreadable'],
  [[], 'availability-unreadable'],
  [{}, 'availability-unreadable'],
  ['2026-01-02T00:00:00', undefined],
  ['2026-01-02T02:00:00+0200', undefined],
  [undefined, undefined],
] as const) {
  test(`a page whose data is complete until ${JSON.stringify(date)}: ${code ?? 'done'}`, async () => {
    const bench = new WindowBench();
    const [window] = await bench.run({ page: async (jobId) => onlyPage(jobId, { dataAvailabilityDate: date }) });
    assert.deepEqual([window?.state, window?.error?.code], [code === undefined ? 'done' : 'partial', code]);
    assert.deepEqual(bench.lane.ordinals.data, [0, 1]);
  });
}

test('an early date on one page counts, and an unreadable one on another does not hide it', async () => {
  const bench = new WindowBench();
  const [window] = await bench.run({
    page: async (jobId, cursor) =>
      cursor === undefined
        ? onlyPage(`${jobId}-1`, { dataAvailabilityDate: 'soon', cursor: 'b' })
        : onlyPage(`${jobId}-2`, { dataAvailabilityDate: '2026-01-01T12:00:00Z' }),
  });
  assert.deepEqual([window?.state, window?.error?.code], ['partial', 'not-yet-available']);
});

for (const date of ['2026-01-01T12:00:00Z', 'soon']) {
  test(`partial for a date of ${date}: stays so however later dates read, until a new generation gets a new job`, async () => {
    const bench = new WindowBench();
    const [first] = await bench.run({ page: async (jobId) => onlyPage(jobId, { dataAvailabilityDate: date }) });
    // Its job is asked nothing more, so that it does not matter what it would say.
    for (const answers of [{}, { status: async () => Promise.reject(gone()) }]) {
      assert.deepEqual(await bench.run(answers), [first]);
    }
    assert.equal(first?.state, 'partial');
    assert.equal(bench.submitted.length, 1);
    bench.generation = 2;
    const [again] = await bench.run();
    assert.equal(again?.state, 'done');
    assert.equal(bench.submitted.length, 2);
  });
}

const gone = (code = 'job-gone') => new OperationalError(code, `It is gone (${code}).`, { scope: 'source' });

for (const where of ['status', 'page'] as const) {
  for (const code of ['job-gone', 'cursor-refused']) {
    test(`${where}: ${code} before anything was published: a new job by itself, bounded`, async () => {
      const lostUntil = (jobs: number) => {
        const bench = new WindowBench();
        const lose =
          <T>(answer: T) =>
          async (): Promise<T> => {
            if (bench.submitted.length < jobs) throw gone(code);
            return answer;
          };
        const done: JobStatus = { state: 'done' };
        const answers = where === 'status' ? { status: lose(done) } : { page: lose(onlyPage('job')) };
        return { bench, answers };
      };
      const twice = lostUntil(3);
      const [window] = await twice.bench.run(twice.answers);
      assert.deepEqual([window?.state, window?.source?.id], ['done', 'job-3']);
      assert.deepEqual(twice.bench.lane.ordinals.data, [0, 1]);
      const forEver = lostUntil(1000);
      const [rejected] = await forEver.bench.run(forEver.answers);
      assert.deepEqual([rejected?.state, rejected?.error?.code], ['rejected', code]);
      assert.equal(forEver.bench.submitted.length, 3);
    });
  }
}

test('job-gone after some records are published: partial, and no new job', async () => {
  const bench = new WindowBench();
  const [window] = await bench.run({
    page: async (jobId, cursor) => {
      if (cursor !== undefined) throw gone();
      return onlyPage(jobId, { cursor: 'b' });
    },
  });
  assert.deepEqual([window?.state, window?.error?.code], ['partial', 'source-gone']);
  assert.equal(bench.submitted.length, 1);
});

test('a job that failed is not asked for again by the same run, and is by the next one', async () => {
  const bench = new WindowBench();
  const status = async (jobId: string): Promise<JobStatus> =>
    jobId === 'job-1' ? { state: 'failed', message: 'because' } : { state: 'done' };
  const [failed] = await bench.run({ status });
  assert.deepEqual([failed?.state, failed?.error?.code, bench.submitted.length], ['rejected', 'job-failed', 1]);
  const [done] = await bench.run({ status });
  assert.deepEqual([done?.state, bench.submitted.length], ['done', 2]);
});

test('an answer that cannot be read, or a job that still runs, is no reason to pay for another job', async () => {
  for (const code of ['bad-answer', 'job-still-running', 'not-ready']) {
    const bench = new WindowBench();
    const odd = { status: async () => Promise.reject(gone(code)) };
    for (let run = 0; run < 2; run += 1) {
      const [rejected] = await bench.run(odd);
      assert.deepEqual([rejected?.state, rejected?.error?.code], ['rejected', code]);
    }
    const [done] = await bench.run();
    assert.deepEqual([done?.state, done?.source?.id, bench.submitted.length], ['done', 'job-1', 1]);
  }
});

test('a window whose submit is refused does not end the others', async () => {
  const bench = new WindowBench(3);
  const windows = await bench.run({
    submit: async (window) => {
      if (window === bench.windows[1]) throw gone('submit-refused');
      return `job-of-${window.id}`;
    },
  });
  assert.deepEqual(
    windows.map(({ state, error }) => [state, error?.code]),
    [
      ['done', undefined],
      ['rejected', 'submit-refused'],
      ['done', undefined],
    ],
  );
});

test('one job for two windows, or for two generations of one, is refused; nothing of it is published twice', async () => {
  const bench = new WindowBench(2);
  const same = { submit: async () => 'job' };
  const refused = async () =>
    (await bench.run(same)).map(({ state, error }) => [state, error?.code].join(' ').trim()).join(', ');
  assert.equal(await refused(), 'done, rejected job-repeated');
  assert.equal(await refused(), 'done, rejected job-repeated');
  bench.generation = 2;
  assert.equal(await refused(), 'rejected job-repeated, rejected job-repeated');
  assert.deepEqual(bench.lane.ordinals.data, [0, 1]);
});

test("a failed job's own words come into the ledger without query strings and tokens", async () => {
  const bench = new WindowBench();
  const message = 'see https://files.example/a?sig=canary-1 and token=canary-2, Bearer canary-3-abcdef';
  const [window] = await bench.run({ status: async () => ({ state: 'failed', message }) });
  assert.match(window?.error?.message ?? '', /job-1 failed: see https:/);
  assert.doesNotMatch(JSON.stringify(window), /canary/);
});
