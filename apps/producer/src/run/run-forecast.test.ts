import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWindows, planWork, type FollowPlan } from '@genesys-kafka/job-poller';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { topicSpecs } from '@genesys-kafka/topics';
import { SETTINGS } from '../settings.ts';
import { forecast, readingsAgain } from './run-forecast.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const SETTINGS_READ = loadSettings(SETTINGS, { env: {} });
const WEEK = planWindows({ from: new Date(START_MS), to: new Date(START_MS + 7 * DAY_MS), sizeMs: DAY_MS });

test('readings again are those that the planner asks for, hour by hour', () => {
  for (const rereads of [
    [],
    [{ ageMs: 3 * DAY_MS, everyMs: DAY_MS }],
    [
      { ageMs: 3 * DAY_MS, everyMs: DAY_MS },
      { ageMs: 30 * DAY_MS, everyMs: 7 * DAY_MS },
    ],
  ]) {
    const plan: FollowPlan = { fromMs: START_MS, sizeMs: DAY_MS, rereads };
    const endMs = START_MS + DAY_MS;
    let [until, readings] = [endMs, 0];
    for (let availableMs = endMs; availableMs < endMs + 40 * DAY_MS; availableMs += HOUR_MS) {
      const known = new Map([[WEEK[0]!.id, { state: 'done', lastReading: { until: new Date(until).toISOString() } }]]);
      const { due } = planWork(plan, known as never, { nowMs: availableMs, availableMs, retryAfterMs: HOUR_MS });
      if (!due.some(({ window, due: why }) => window.id === WEEK[0]!.id && why === 'reread')) continue;
      until = availableMs;
      readings += 1;
    }
    assert.equal(readingsAgain(rereads, 0), readings);
  }
});

test('a week: jobs, requests and what the budget takes for them', () => {
  const specs = topicSpecs({ prefix: 'p.' });
  const nowMs = START_MS + 100 * DAY_MS;
  const settings = { ...SETTINGS_READ, genesys: { ...SETTINGS_READ.genesys, requestsPerSecond: 10, pageSize: 1000 } };
  const told = forecast(settings, WEEK, [specs.data, specs.ledger], { nowMs, perDay: 20_500 });
  assert.deepEqual([told.windows, told.lanes, told.jobs], [7, 7, { first: 7, again: 0 }]);
  // A submit, two polls and 21 pages each.
  assert.deepEqual([told.requests, told.leastSeconds, told.usualSeconds], [7 * 24, 17, 34]);
  assert.deepEqual(told.topics[1], { name: 'p.export-ledger', partitions: 12 });
  const live = forecast(settings, WEEK, [], { nowMs: START_MS });
  assert.equal(live.jobs.again, 7 * readingsAgain(settings.windows.rereads, 0));
  const archives = forecast({ ...settings, genesys: { ...settings.genesys, contract: 'bulk-archive' } }, WEEK, [], {
    nowMs,
  });
  assert.deepEqual([archives.requests, archives.archivesInSpool], [21, 2]);
});

test('disk: none by pages; of archives those in work, as full as their query allows where nobody knows better', () => {
  const { genesys, kafka } = SETTINGS_READ;
  const told = (more: object, facts: object = {}, compression: 'zstd' | 'none' = 'zstd') =>
    forecast(
      { ...SETTINGS_READ, kafka: { ...kafka, compression }, genesys: { ...genesys, concurrentJobs: 3, ...more } },
      WEEK,
      [],
      { nowMs: START_MS, ...facts },
    );
  assert.equal(told({}, { perDay: 20_000 }).spoolBytes, 0);
  const archives = { contract: 'bulk-archive' };
  // Three archives, and what is made of them, of 9,999 records of 8 kB, a fifth of that each.
  assert.equal(told(archives).spoolBytes, 3 * 2 * 9999 * 1600);
  assert.equal(told(archives, { perDay: 100, recordBytes: 500 }).spoolBytes, 3 * 2 * 100 * 100);
  assert.equal(told(archives, { perDay: 100, recordBytes: 500 }, 'none').spoolBytes, 3 * 100 * (100 + 500));
  // More than fit are split: the archives are no larger for it.
  const full = told({ ...archives, query: { size: 1000 } }, { perDay: 50_000 });
  assert.deepEqual([full.windowRecords, full.mostRecords, full.spoolBytes], [50_000, 999, 3 * 2 * 999 * 1600]);
});
