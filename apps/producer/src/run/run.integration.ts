import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunWindow } from '@genesys-kafka/ledger';
import { freePorts } from '@genesys-kafka/testing';
import { Following, stop } from '../../fixtures/followers.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { setAvailability, setRevoked } from '../../fixtures/simulator-control.ts';
import { untilWritten } from '../../fixtures/topics.ts';

const servers = useServers();
const RECORDS = 2000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Two days of conversations, in two lanes. */
const TWO_DAYS = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-03', '--rate', '1000000'];
const WINDOWS = 'from: 2025-10-01, size: 6h, rereads: []';
const AVAILABLE = ['--availability', '2025-10-03T00:00:00Z'];
const PATIENCE_MS = 150_000;

const done = (lines: readonly RunWindow[]) => lines.filter(({ state }) => state === 'done').length;

/** Resolves when the process that shows itself on this port has lanes in hand: it listens to signals by then. */
async function untilLanes(port: number): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    // Nothing listens yet while the program starts.
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    if (/^genesys_kafka_run_lanes [1-9]/m.test(text)) return;
    assert(performance.now() - startMs < PATIENCE_MS, 'it has no lanes');
    await delay(100);
  }
}

test('run follows to the watermark and stops there; killed and started again it goes on, and nothing is there twice', async () => {
  await using simulator = await startSimulator([...TWO_DAYS, ...AVAILABLE, '--job-ms', '100']);
  await using following = await Following.of(servers, simulator, WINDOWS);
  for (const over of [0, RECORDS / 2]) {
    const running = following.start();
    // A member that was killed is only missed after ten seconds, and lanes are claimed then.
    await untilWritten(servers.client, following.prefix, running.ended, over);
    await stop(running, 'SIGKILL');
  }
  const last = following.start();
  const windows = await following.until((lines) => lines.length === 8 && lines.every(({ state }) => state === 'done'));
  const { status, stdout, stderr } = await stop(last, 'SIGTERM');
  assert.equal(status, 0, stderr);
  const report = JSON.parse(stdout) as { inWork: unknown[]; isWhole: boolean };
  assert.deepEqual([report.inWork, report.isWhole], [[], true]);
  const keys = await following.assertOnceEach();
  assert.equal(keys.size, RECORDS, 'conversations are missing');
  const { records } = await following.published();
  const sources = new Set(windows.map(({ source }) => source?.id));
  assert(
    records.every(({ source }) => sources.has(source)),
    'a window was read from another job',
  );
});

test('three processes share the lanes, one is killed and one comes later: every window once, and each did some', async () => {
  // A day for each lane, and twelve more: of those every process has some, whichever lanes it holds.
  const days = ['--records', '6000', '--from', '2025-10-01', '--to', '2025-10-25', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-05T00:00:00Z', '--job-ms', '2000']);
  await using following = await Following.of(servers, simulator, 'from: 2025-10-01, size: 1d, rereads: []');
  const [ofSecond = 0, ofThird = 0] = await freePorts(2);
  const first = following.start();
  await following.until((lines) => lines.length > 0);
  const second = following.start({ HTTP_PORT: String(ofSecond) });
  await untilLanes(ofSecond);
  await setAvailability(simulator, '2025-10-13T00:00:00Z');
  await following.until((lines) => lines.length > 4);
  await stop(first, 'SIGKILL');
  const third = following.start({ HTTP_PORT: String(ofThird) });
  await untilLanes(ofThird);
  await setAvailability(simulator, '2025-10-25T00:00:00Z');
  const windows = await following.until((lines) => done(lines) === 24);
  const reports = await Promise.all([second, third].map((running) => stop(running, 'SIGTERM')));
  for (const { status, stdout, stderr } of reports) {
    assert.equal(status, 0, stderr);
    const { windows: ended } = JSON.parse(stdout) as { windows: { done: number; failed: number } };
    assert(ended.done > 0, stderr);
    assert.equal(ended.failed, 0, stderr);
  }
  assert.equal((await following.assertOnceEach()).size, 6000, 'conversations are missing');
  const { records } = await following.published();
  const sources = new Set(windows.map(({ source }) => source?.id));
  assert(
    records.every(({ source }) => sources.has(source)),
    'a window was read from another job',
  );
});

test('by archives: one of three processes is killed, another paused until its lanes are others’: every window once', async () => {
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  // By this contract windows are read once they have been over for some minutes.
  const endMs = Date.now() - HOUR_MS;
  const [from, to] = [endMs - 12 * DAY_MS, endMs].map(dayOf) as [string, string];
  const days = ['--records', '3000', '--from', from, '--to', to, '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--job-ms', '2000']);
  await using following = await Following.of(servers, simulator, `from: ${from}, size: 1d, rereads: []`);
  const env = { GENESYS_CONTRACT: 'bulk-archive' };
  const [ofPaused = 0, ofLast = 0] = await freePorts(2);
  const killed = following.start(env);
  await following.until((lines) => lines.length > 0);
  // Nothing is begun before all three have their lanes: there is work in each of them then.
  await setRevoked(simulator, true);
  const paused = following.start({ ...env, HTTP_PORT: String(ofPaused) });
  const last = following.start({ ...env, HTTP_PORT: String(ofLast) });
  await Promise.all([ofPaused, ofLast].map(untilLanes));
  await setRevoked(simulator, false);
  await following.until((lines) => done(lines) > 0);
  paused.child.kill('SIGSTOP');
  await stop(killed, 'SIGKILL');
  // Those of the organisation's days: by the clock there may be another one, which is empty.
  await following.until((lines) => done(lines.filter(({ window }) => window < to)) === 12);
  paused.child.kill('SIGCONT');
  const reports = await Promise.all([paused, last].map((running) => stop(running, 'SIGTERM')));
  for (const { status, stderr } of reports) {
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /window failed/);
  }
  assert.equal((await following.assertOnceEach()).size, 3000, 'conversations are missing');
});

test('told to stop in the midst of a window it ends with 0, and says what the next start goes on with', async () => {
  await using simulator = await startSimulator([...TWO_DAYS, ...AVAILABLE, '--job-ms', '600000']);
  await using following = await Following.of(servers, simulator, WINDOWS);
  const running = following.start();
  const [one] = await following.until((lines) => lines.filter(({ state }) => state === 'submitted').length === 2);
  const startedMs = performance.now();
  const { status, stdout, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  assert(performance.now() - startedMs < 25_000);
  const { inWork } = JSON.parse(stdout) as { inWork: { window: string; jobId?: string }[] };
  assert.equal(inWork.length, 2);
  assert.equal(inWork.find(({ window }) => window === one!.window)?.jobId, one!.source?.jobId);
  await following.configure('from: 2025-10-01, size: 12h');
  const other = await following.run(['run']);
  assert.deepEqual(
    [other.status, /other-plan.*windows\.size was 21600 s and is 43200 s/.test(other.stderr)],
    [2, true],
  );
});

test('a window is read again once the data has moved on, and what has not changed is not published again', async () => {
  await using simulator = await startSimulator([...TWO_DAYS, '--job-ms', '0']);
  await setAvailability(simulator, '2025-10-01T13:00:00Z');
  const rereads = 'rereads: [{ age: 12h, every: 6h }]';
  await using following = await Following.of(servers, simulator, `from: 2025-10-01, size: 6h, ${rereads}`);
  const running = following.start();
  // The window that ends past the availability is not begun.
  await following.until((lines) => lines.length === 2 && lines.every(({ state }) => state === 'done'));
  await setAvailability(simulator, '2025-10-02T00:00:00Z');
  const again = (lines: readonly RunWindow[]) => lines.filter(({ lastReading }) => lastReading?.number === 2);
  const lines = await following.until((all) => all.length === 4 && again(all).length === 1);
  const [second] = again(lines);
  assert.equal(second!.window, '2025-10-01T06:00Z/2025-10-01T12:00Z', 'the first one is older than 12 h');
  assert(second!.counts.unchanged > 0 && second!.counts.published === 0, JSON.stringify(second!.counts));
  const { status, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  await following.assertOnceEach();
});
