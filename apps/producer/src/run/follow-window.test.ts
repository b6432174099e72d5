import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GenesysError } from '@genesys-kafka/genesys-client';
import { planWindows } from '@genesys-kafka/job-poller';
import type { RunWindow } from '@genesys-kafka/ledger';
import { OperationalError } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { MemoryLane, sourceOptions } from '../../fixtures/memory-lane.ts';
import { fakeContract, onlyPage, READING, type Answers } from '../../fixtures/window-bench.ts';
import { SETTINGS } from '../settings.ts';
import { readWindow, takeUp, type FollowPorts } from './follow-window.ts';
import { followOf } from './follow.ts';
import { HeldLane } from './held-lane.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const START_MS = Date.UTC(2026, 0, 1);

/** A window that is followed on a lane in memory; each `read` is a new start of the program. */
class Followed {
  readonly lane = new MemoryLane();
  readonly clock = new ManualClock(START_MS + 2 * DAY_MS);
  readonly submitted: string[] = [];
  readonly window;
  /** Whether Genesys answers others when a window fails. */
  isWell = true;
  line: RunWindow | undefined;

  constructor(sizeMs = DAY_MS) {
    [this.window] = planWindows({ from: new Date(START_MS), to: new Date(START_MS + sizeMs), sizeMs });
  }

  async read(answers: Answers = {}, maxRecords?: number): Promise<RunWindow> {
    const window = this.window!;
    const stop = new AbortController();
    const lane = new HeldLane(0, {
      lines: this.line ? [this.line] : [],
      publisher: this.lane.publisher,
      signal: stop.signal,
    });
    const settings = loadSettings(SETTINGS, { env: {} });
    const windows = { ...settings.windows, fromMs: START_MS, ...(maxRecords === undefined ? {} : { maxRecords }) };
    const ports: FollowPorts = {
      context: { ...READING, source: sourceOptions() },
      contract: fakeContract(answers, this.submitted),
      follow: followOf({ ...settings, windows }, {}, this.clock.nowMs()),
      watermark: { isWindowsOwn: async () => this.isWell },
      clock: this.clock,
    };
    const reading = takeUp(lane, window, this.clock.nowMs() - DAY_MS, ports);
    const assertNew = (id: string) => assert.equal(lane.reads(id), undefined);
    try {
      return await readWindow(reading, assertNew, ports);
    } finally {
      await this.lane.publisher.flush();
      // As the next claim finds it.
      this.line = this.lane.followed.at(-1);
    }
  }
}

const failing = (
  code: string,
  message = 'It failed.',
  options: { retry?: boolean; details?: Record<string, number> } = {},
) => new OperationalError(code, message, { scope: 'source', ...options });

test('planned, submitted and done are committed in this order, and the next reading is another one', async () => {
  const one = new Followed();
  const line = await one.read();
  const states = one.lane.followed.map(({ state, source }) => [state, source?.id]);
  assert.deepEqual(states[0], ['planned', undefined]);
  assert.deepEqual(states[1], ['submitted', 'job-1']);
  assert.deepEqual(states.at(-1), ['done', 'job-1']);
  assert.deepEqual([line.reading, line.lastReading?.number, line.counts.published], [1, 1, 2]);
  assert.equal(line.lastReading?.until, new Date(START_MS + DAY_MS).toISOString());
  const again = await one.read();
  assert.deepEqual([again.reading, again.lastReading?.number, again.source?.id], [2, 2, 'job-2']);
});

test('a job whose id is committed is not asked for again, by whoever goes on with its window', async () => {
  const one = new Followed();
  await assert.rejects(
    one.read({
      status: async () => {
        one.isWell = false;
        throw new GenesysError('connection-failed', 'Away.');
      },
    }),
    { code: 'connection-failed' },
  );
  assert.deepEqual([one.line?.state, one.line?.source?.id, one.line?.failures], ['submitted', 'job-1', undefined]);
  const line = await one.read();
  assert.deepEqual([line.state, line.source?.id, one.submitted.length], ['done', 'job-1', 1]);
});

test('a window that fails is tried again, later each time, and a reading that ends well ends that', async () => {
  const one = new Followed();
  const failed = { status: async () => Promise.reject(failing('job-cancelled')) };
  for (const [count, minutes] of [
    [1, 10],
    [2, 20],
    [3, 40],
  ] as const) {
    const line = await one.read(failed);
    assert.deepEqual([line.state, line.error?.code, line.failures?.count], ['failed', 'job-cancelled', count]);
    assert.equal(line.failures?.since, new Date(START_MS + 2 * DAY_MS).toISOString());
    assert.equal(Date.parse(line.failures.nextTry), one.clock.nowMs() + minutes * MINUTE_MS);
  }
  const line = await one.read();
  assert.deepEqual([line.state, line.failures, line.error, line.reading], ['done', undefined, undefined, 1]);
});

for (const [what, error, jobs] of [
  ['an answer that was damaged', failing('answer-damaged', 'Damaged.', { retry: true }), 1],
  ['too many invalid records', failing('too-many-invalid'), 1],
  ['a cursor that leads back', failing('cursor-loop'), 2],
  ['an archive that is damaged', failing('archive-damaged'), 2],
] as const) {
  test(`${what}: the window is read on from ${jobs === 1 ? 'the same' : 'a new'} job`, async () => {
    const one = new Followed();
    const page = async (jobId: string, cursor?: string) => {
      if (cursor !== undefined) throw error;
      return onlyPage(jobId, { cursor: 'b' });
    };
    const line = await one.read({ page });
    assert.deepEqual([line.state, line.error?.code, line.counts.read], ['failed', error.code, 2]);
    const done = await one.read({ page: async (jobId, cursor) => onlyPage(cursor ? `${jobId}-2` : jobId) });
    assert.deepEqual([done.state, one.submitted.length], ['done', jobs]);
    assert.equal(done.source?.id, `job-${jobs}`);
  });
}

for (const error of [
  failing('job-failed', 'Genesys job 1 failed: Pagination may not exceed 400000 results.'),
  failing('submit-refused', 'refused (400, bad.request: may not exceed 31 days).'),
  failing('job-still-running', 'still running', { retry: true }),
]) {
  test(`${error.code} (${error.message}): the window is split in two, and one of a minute is not`, async () => {
    const answers =
      error.code === 'submit-refused'
        ? { submit: async () => Promise.reject(error) }
        : { status: async () => Promise.reject(error) };
    const line = await new Followed().read(answers);
    assert.deepEqual([line.state, line.error?.code], ['split', error.code]);
    assert.deepEqual(line.halves, ['2026-01-01T00:00Z/2026-01-01T12:00Z', '2026-01-01T12:00Z/2026-01-02T00:00Z']);
    const minute = await new Followed(MINUTE_MS).read(answers);
    assert.deepEqual([minute.state, minute.halves], ['failed', undefined]);
  });
}

test('a job that timed out is asked for again, and split where that happens again; a conflict is never a reason to', async () => {
  const slow = failing('job-failed', 'Genesys job 1 failed: The query timed out.');
  const one = new Followed();
  const status = async () => Promise.reject(slow);
  assert.equal((await one.read({ status })).state, 'failed');
  assert.equal((await one.read({ status })).state, 'split');
  for (const [text, status] of [
    ['(409, conflict: the maximum number of concurrent jobs is exceeded, too many results)', 409],
    ['(400, bad.request: too many open jobs)', 400],
    ['(400, bad.request: filters may not exceed 50 predicates)', 400],
  ] as const) {
    const refused = failing('submit-refused', text, { details: { status } });
    const line = await new Followed().read({ submit: async () => Promise.reject(refused) });
    assert.equal(line.state, 'failed', text);
  }
});

test('digests are asked by what failed or is in work: its days are not over', () => {
  const line = (window: string, state: RunWindow['state']) =>
    ({ kind: 'run-window', window, state }) as unknown as RunWindow;
  const lane = (lines: readonly RunWindow[]) =>
    new HeldLane(0, { lines, publisher: new MemoryLane().publisher, signal: new AbortController().signal });
  const days = [
    line('2026-01-01T00:00Z/2026-01-02T00:00Z', 'done'),
    line('2026-01-13T00:00Z/2026-01-14T00:00Z', 'failed'),
    line('2026-01-25T00:00Z/2026-01-26T00:00Z', 'submitted'),
  ];
  assert.equal(lane(days).unsettledMs, Date.UTC(2026, 0, 13));
  assert.equal(lane(days.slice(0, 1)).unsettledMs, Infinity);
});

test('more records than a window may have: split; in a window of a minute they are published', async () => {
  const line = await new Followed().read({}, 1);
  assert.deepEqual([line.state, line.error?.code, line.counts.read], ['split', 'too-many-records', 0]);
  const minute = await new Followed(MINUTE_MS).read({}, 1);
  assert.deepEqual([minute.state, minute.counts.published], ['done', 2]);
});

test('a page whose data ends before the window: failed, and read from a new job', async () => {
  const one = new Followed();
  const line = await one.read({
    page: async (jobId) => onlyPage(jobId, { dataAvailabilityDate: '2026-01-01T12:00:00Z' }),
  });
  assert.deepEqual([line.state, line.error?.code, line.failures?.keepsJob], ['failed', 'not-yet-available', undefined]);
  assert.equal((await one.read()).source?.id, 'job-2');
});

test('a failure of the run is the window’s own only where Genesys answers to others', async () => {
  const refused = { submit: async () => Promise.reject(new GenesysError('server-error', 'No.')) };
  const well = new Followed();
  assert.equal((await well.read(refused)).error?.code, 'server-error');
  const ill = new Followed();
  ill.isWell = false;
  await assert.rejects(ill.read(refused), { code: 'server-error' });
  assert.deepEqual([ill.line?.state, ill.line?.failures], ['planned', undefined]);
});

test('a disk that is full fails the window that needs it, whatever Genesys does', async () => {
  const one = new Followed();
  one.isWell = false;
  const line = await one.read({
    page: async () => Promise.reject(new OperationalError('spool-full', 'The disk is full.', { scope: 'run' })),
  });
  assert.deepEqual([line.state, line.error?.code], ['failed', 'spool-full']);
});
