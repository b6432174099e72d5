import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Defaults } from './assumptions.ts';
import { demandOf } from './demand.ts';
import type { Figures } from './figures.ts';
import { limitsOf } from './limits.ts';

const FIGURES: Figures = {
  jsonBytes: 8000,
  zipBytes: 1000,
  producerCpuSeconds: { 'details-jobs': 0.0003, 'bulk-archive': 0.0004 },
  brokerCpuSeconds: 0.00005,
  publishedPerSecond: 1000,
};
const SET: Defaults = {
  pageSize: 1000,
  requestsPerSecond: 10,
  concurrentJobs: 2,
  windowSeconds: 86_400,
  transactionBytes: 32e6,
  transactionSeconds: 5,
  partitions: 6,
  lanes: 12,
  concurrency: 16,
  ledgerSegmentBytes: 16e6,
  compactionSeconds: 86_400,
  entryBytes: 500,
  polls: 8,
};
const demand = (perDay: number, figures = FIGURES, set = SET) => demandOf(perDay, figures, set, undefined);

test('3.6 million a day, reckoned by hand: 360,000 in the busiest hour, 100 a second', () => {
  const { producerCores, ...rest } = demand(3.6e6);
  const cores = [producerCores['details-jobs'], producerCores['bulk-archive'], rest.brokerCores];
  assert.deepEqual(
    cores.map((value) => value.toFixed(4)),
    ['0.0300', '0.0400', '0.0050'],
  );
  assert.deepEqual(rest, {
    peakPerSecond: 100,
    // 3,600 pages, 8 polls, a submit, a question for availability.
    pages: { windows: 1, aDay: 3610, peakPerMinute: 6 },
    pageSeconds: 10,
    // Two minutes would be 12,000: too many for one archive. 8 polls and a submit for each.
    archives: {
      ...{ windows: 1440, windowSeconds: 60, size: undefined, aDay: 12_960, peakPerMinute: 9 },
      // Two jobs, the ZIP and what is made of it, 6,000 conversations each.
      spoolBytes: 24e6,
    },
    jsonBytes: 28.8e9,
    zipBytes: 3.6e9,
    storedBytes: 75.6e9,
    partitionBytes: 4.2e9,
    partitionPeakBytes: 100_000 / 6,
    brokerCores: rest.brokerCores,
    producers: 1,
    // 4,000 conversations are 32 MB and come in less than 5 s; 900 of these, and two for each window.
    transactions: 3780,
    markers: 26_460,
    // Two windows side by side.
    ledgerLines: 4680,
    ledgerBytes: 2.34e6,
    ledgerKeptBytes: 262.8e6,
    digestBytes: 230.4e6,
    consumers: 1,
  });
});

test('a slow process closes transactions by their age', () => {
  const { transactions, archives } = demand(3.6e6, { ...FIGURES, publishedPerSecond: 10 });
  // 50 conversations in 5 s.
  assert.equal(transactions - 2 * archives.windows, 72_000);
});

test('an archive that would be cut off in the shortest window needs a larger size', () => {
  const { windowSeconds, size } = demand(36e6).archives;
  assert.deepEqual([windowSeconds, size], [60, 60_001]);
});

test('windows of archives are no longer than the setting, and those of few conversations are as long', () => {
  assert.deepEqual([demand(100).archives.windows, demand(100).archives.aDay], [1, 9]);
  assert.equal(demand(100, FIGURES, { ...SET, windowSeconds: 3600 }).archives.windowSeconds, 3600);
});

test('hours as windows: each job costs its own requests, and two fetch side by side', () => {
  const { pages, pageSeconds } = demand(2.4e6, FIGURES, { ...SET, windowSeconds: 3600 });
  assert.deepEqual([pages.windows, pages.aDay], [24, 24 * 110]);
  assert.equal(pageSeconds.toFixed(6), '30.000000');
});

test('processes: as many as the busiest hour takes', () => {
  const { producers, consumers } = demand(36.1e6);
  assert.deepEqual([producers, consumers], [2, 2]);
  // 3.6 million are 100 a second.
  assert.equal(demandOf(3.6e6, FIGURES, SET, { recordsPerSecond: 30, date: '2026-01-31' }).consumers, 4);
});

test('limits by hand, the first in front', () => {
  const bears = (...given: Parameters<typeof limitsOf>) =>
    limitsOf(...given).map(({ name, bears: most }) => [name, Math.round(most)]);
  assert.deepEqual(bears(FIGURES, SET, undefined), [
    ['bulk-archive: conversations of a minute', 5_999_400],
    ['one consumer process to one HTTP target', 28_800_000],
    ['one producer process', 36_000_000],
    ['6 consumer processes to one HTTP target', 172_800_000],
    ['details-jobs: requests', 180_000_000],
    ['12 producer processes', 432_000_000],
    ['one core of the brokers', 720_000_000],
  ]);
  const slow = bears(FIGURES, { ...SET, requestsPerSecond: 2 }, { recordsPerSecond: 100, date: '2026-01-31' });
  assert.deepEqual(slow.slice(0, 3), [
    ['one consumer process to one HTTP target', 3_600_000],
    ['bulk-archive: conversations of a minute', 5_999_400],
    ['6 consumer processes to one HTTP target', 21_600_000],
  ]);
  assert.deepEqual(slow[4], ['details-jobs: requests', 72_000_000]);
});
