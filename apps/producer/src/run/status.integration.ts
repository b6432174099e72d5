import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWindows } from '@genesys-kafka/job-poller';
import { plannedReading, type RunPlan, type RunWindow } from '@genesys-kafka/ledger';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { runProducer, type Ended } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { laneOf } from './follow.ts';
import type { RunStatus } from './run-status.ts';

const servers = useServers();
const HOUR_MS = 3_600_000;
const WINDOWS = 10_000;
const iso = (ms: number) => new Date(ms).toISOString();

/** Writes the ledger of windows of an hour that end with `endMs`: all are read, but one that failed and one that is missing. */
async function writeLedger(prefix: string, endMs: number): Promise<void> {
  const fromMs = endMs - WINDOWS * HOUR_MS;
  const { ledger } = topicSpecs({ prefix });
  await servers.client.admin.createMissing([ledger]);
  const lane = laneOf('default');
  const windows = planWindows({ from: new Date(fromMs), to: new Date(endMs), sizeMs: HOUR_MS });
  const lines = windows.map(({ id, to }, index): RunWindow => {
    const facts = { connector: 'default', contract: 'details-jobs', window: id } as const;
    const line = plannedReading({ ...facts, availableUntil: iso(endMs), updatedAt: iso(endMs) }, undefined);
    const error = { code: 'job-failed', message: 'It failed.' };
    const failures = { since: iso(to.getTime()), count: 3, nextTry: iso(endMs) };
    if (index === 5000) return { ...line, state: 'failed', error, failures };
    const counts = { read: 100, published: 100, invalid: 0, unchanged: 0 };
    const lastReading = { number: 1, at: iso(endMs), until: iso(endMs), counts };
    return { ...line, state: 'done', counts, lastReading };
  });
  const plan: RunPlan = {
    ...{ v: 1, kind: 'run-plan', connector: 'default', lane: 0, contract: 'details-jobs', query: 'q' },
    ...{ from: iso(fromMs), sizeMs: HOUR_MS, updatedAt: iso(endMs) },
  };
  const producer = servers.client.producer();
  const ofLanes = Map.groupBy(lines.entries(), ([index]) => lane(windows[index]!.from.getTime()));
  for (const [partition, own] of ofLanes) {
    const records = own
      .filter(([index]) => index !== 6000)
      .map(([, line]) => ({ key: `run/default/${line.window}`, value: Buffer.from(JSON.stringify(line)) }));
    await producer.send({ topic: ledger.name, partition }, records);
  }
  const line = { key: 'run/default/plan.0', value: Buffer.from(JSON.stringify(plan)) };
  await producer.send({ topic: ledger.name, partition: 0 }, [line]);
  await producer.close();
}

const hourMs = () => Math.floor(Date.now() / HOUR_MS) * HOUR_MS;

/** What `status` says while the hour lasts in which the last window has ended: later there is another one, and begun anew. */
async function statusOfAll(): Promise<Ended & { readonly endMs: number }> {
  for (;;) {
    const [prefix, endMs] = [uniquePrefix(), hourMs()];
    await writeLedger(prefix, endMs);
    const ended = await runProducer(['status', '--json'], servers.env(prefix));
    if (hourMs() === endMs) return { ...ended, endMs };
  }
}

test('status of 10,000 windows: one of them failed, one is missing, and the rest is two intervals', async () => {
  const { status, stdout, stderr, endMs } = await statusOfAll();
  assert.equal(status, 3, stderr);
  const { run } = JSON.parse(stdout) as { run: RunStatus };
  const { published, provisional, ...rest } = run.windows;
  assert.equal(published + provisional, WINDOWS - 2);
  assert.deepEqual(rest, { pending: 0, failed: 1, missing: 1 });
  assert.equal(run.completeUntil, iso(endMs - (WINDOWS - 5000) * HOUR_MS));
  const states = run.intervals.map(({ state }) => state);
  assert.deepEqual(states, ['published', 'failed', 'published', 'missing', 'published', 'provisional']);
  const failed = run.intervals[1]!;
  assert.deepEqual([failed.attempts, failed.error?.code, failed.windows], [3, 'job-failed', 1]);
});
