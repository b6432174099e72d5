import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunWindow } from '@genesys-kafka/ledger';
import { freePorts } from '@genesys-kafka/testing';
import { Following, stop } from '../../fixtures/followers.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { untilReady } from '../../fixtures/health.ts';
import { useServers } from '../../fixtures/servers.ts';
import { addFaults, setRevoked } from '../../fixtures/simulator-control.ts';

const servers = useServers();
const RECORDS = 400;
const DAY = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-02', '--rate', '1000000'];
const AVAILABLE = ['--availability', '2025-10-02T00:00:00Z', '--short-pages', '0', '--job-ms', '0'];
const WINDOWS = 'from: 2025-10-01, size: 6h, rereads: []';

/** Windows of the day that has conversations: by `bulk-archive` all days up to now are followed. */
const ofDay = (lines: readonly RunWindow[]) => lines.filter(({ window }) => window.startsWith('2025-10-01'));
const leaves = (lines: readonly RunWindow[]) => ofDay(lines).filter(({ state }) => state !== 'split');
const DAY_MS = 86_400_000;
const lengthMs = ({ window }: RunWindow) => {
  const [from, to] = window.split('/').map((instant) => Date.parse(instant)) as [number, number];
  return to - from;
};
/** All of the day: windows, and halves of one that is split, have no line before they are begun. */
const allDone = (lines: readonly RunWindow[]) =>
  leaves(lines).every(({ state }) => state === 'done') &&
  leaves(lines).reduce((sum, line) => sum + lengthMs(line), 0) === DAY_MS;

/** Runs until every window is read, and resolves with them and with what was logged. */
async function followed(
  following: Following,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly lines: readonly RunWindow[]; readonly log: string }> {
  const running = following.start(env);
  const lines = await following.until(allDone);
  const { status, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  assert.equal((await following.assertOnceEach()).size, RECORDS, 'conversations are missing');
  const { records } = await following.published();
  // By `bulk-archive` later days are followed too, and a day's records are judged by those of that day.
  if (env.GENESYS_CONTRACT === undefined)
    assert.equal(records.length, RECORDS, 'nothing has changed, and some is there twice');
  return { lines: ofDay(lines), log: stderr };
}

/** By `bulk-archive` run also asks whether Genesys answers: for a job whose id is none of the ids that are given. */
const STATUS = { 'details-jobs': 'status', 'bulk-archive': 'GET /api/v2/jobs/*-4*' };

for (const [contract, state] of [
  ['details-jobs', 'FAILED'],
  ['details-jobs', 'CANCELLED'],
  ['details-jobs', 'EXPIRED'],
  ['bulk-archive', 'FAILED'],
] as const) {
  test(`${contract}: a job that is ${state}: its window is read from a new job later, and holds up none`, async () => {
    await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
    await using following = await Following.of(servers, simulator, WINDOWS);
    await addFaults(simulator, [{ on: STATUS[contract], do: { kind: 'job', state, message: 'because' } }]);
    const { lines, log } = await followed(following, { GENESYS_CONTRACT: contract });
    assert.match(log, new RegExp(`job-${state.toLowerCase()}.*window failed`));
    assert(lines.every(({ failures, reading }) => failures === undefined && reading === 1));
  });
}

test('a job that is gone while its window is half published: the window is read from a new job, as another source', async () => {
  await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
  await using following = await Following.of(
    servers,
    simulator,
    WINDOWS,
    'genesys: { pageSize: 20, concurrentJobs: 1 }',
  );
  await addFaults(simulator, [{ on: 'results', after: 3, do: { kind: 'job', state: 'EXPIRED' } }]);
  const { log } = await followed(following);
  assert.match(log, /source-gone/);
});

test('results past the ceiling: the window is split in two, and that is remembered', async () => {
  await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
  await using following = await Following.of(servers, simulator, WINDOWS);
  const message = 'Pagination may not exceed 400000 results';
  await addFaults(simulator, [{ on: 'status', times: 2, do: { kind: 'job', state: 'FAILED', message } }]);
  const { lines } = await followed(following);
  const split = lines.filter(({ state }) => state === 'split');
  assert.equal(split.length, 2);
  for (const { halves } of split) assert(halves!.every((half) => lines.some(({ window }) => window === half)));
  const status = await following.run(['status', '--json']);
  const { run } = JSON.parse(status.stdout) as { run: { windows: { published: number } } };
  assert.deepEqual([status.status, run.windows.published], [0, 6], 'what comes after that day is pending');
});

test('an archive of as many records as it may hold is never published: its window is split until they are fewer', async () => {
  await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
  const query = 'genesys: { query: { size: 60 } }';
  await using following = await Following.of(servers, simulator, WINDOWS, query);
  const { lines } = await followed(following, { GENESYS_CONTRACT: 'bulk-archive' });
  const split = lines.filter(({ state }) => state === 'split');
  assert(split.length >= 4);
  assert(split.every(({ counts }) => counts.read === 0));
  assert(leaves(lines).every(({ counts }) => counts.read < 60));
});

test('more records than windows.maxRecords: split', async () => {
  await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
  await using following = await Following.of(servers, simulator, `${WINDOWS}, maxRecords: 80`);
  const { lines } = await followed(following);
  assert(lines.some(({ state, error }) => state === 'split' && error?.code === 'too-many-records'));
  assert(leaves(lines).every(({ counts }) => counts.read <= 80));
});

for (const contract of ['details-jobs', 'bulk-archive']) {
  test(`${contract}: credentials that are revoked: not ready, no window is blamed, and it goes on when they are back`, async () => {
    await using simulator = await startSimulator([...DAY, ...AVAILABLE]);
    await using following = await Following.of(servers, simulator, WINDOWS);
    await addFaults(simulator, [{ on: 'submit', after: 1, do: { kind: 'revoke-token' } }]);
    const [port = 0] = await freePorts(1);
    const running = following.start({ HTTP_PORT: String(port), GENESYS_CONTRACT: contract });
    await following.until((lines) => lines.length > 0);
    await setRevoked(simulator, true);
    await untilReady(port, /login-failed/);
    await setRevoked(simulator, false);
    const lines = ofDay(await following.until(allDone));
    await untilReady(port);
    const { status, stderr } = await stop(running, 'SIGTERM');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /login-failed/);
    assert.doesNotMatch(stderr, /window failed/);
    assert.equal(lines.length, 4);
    assert.equal((await following.assertOnceEach()).size, RECORDS, 'conversations are missing');
  });
}
