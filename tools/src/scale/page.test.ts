import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '@genesys-kafka/producer/settings';
import { topicSpecs } from '@genesys-kafka/topics';
import { ROOT } from '../reference/repository.ts';
import { ASSUMED, defaults, pollsOf } from './assumptions.ts';
import { figuresOf, lastBenchmark, type Benchmark } from './figures.ts';
import { scaleOf, scalePage } from './page.ts';

const line = (name: string, seconds: number, client: number, broker: number) => ({
  name,
  seconds: { median: seconds },
  clientCpuSeconds: { median: client },
  brokerCpuSeconds: { median: broker },
});
const BENCHMARK: Benchmark = {
  date: '2026-01-31',
  command: 'npm run bench -- --write',
  records: 1000,
  jsonBytes: 8e6,
  archiveBytes: 1e6,
  lines: [
    line('publish', 2, 0.3, 0.05),
    line('export-details-jobs', 9, 0.3, 0.1),
    line('export-bulk-archive', 9, 0.4, 0.1),
  ],
};

test('docs/scale.md says what the benchmark and the code say', async () => {
  const text = readFileSync(join(ROOT, 'docs/scale.md'), 'utf8');
  assert.equal(text, await scalePage(lastBenchmark()), 'run npm run docs');
});

test('figures are of one conversation, by the medians', () => {
  assert.deepEqual(figuresOf(BENCHMARK), {
    jsonBytes: 8000,
    zipBytes: 1000,
    producerCpuSeconds: { 'details-jobs': 0.0003, 'bulk-archive': 0.0004 },
    brokerCpuSeconds: 0.00005,
    publishedPerSecond: 500,
  });
});

test('a benchmark without a line that is needed, or without its CPU times, is refused', () => {
  const lines = BENCHMARK.lines.filter(({ name }) => name !== 'export-bulk-archive');
  assert.throws(() => figuresOf({ ...BENCHMARK, lines }), /export-bulk-archive.*npm run bench -- --write/);
  const blind = [...lines, { name: 'export-bulk-archive', seconds: { median: 9 } }];
  assert.throws(() => figuresOf({ ...BENCHMARK, lines: blind }), /export-bulk-archive/);
});

test('each level names what is full and what comes next, whatever the numbers are', async () => {
  const set = await defaults();
  const verdicts = (text: string) => text.match(/^- \*\*.*$/gm);
  // 500 a second.
  const [million, , billion] = verdicts(scaleOf(BENCHMARK, set, undefined))!;
  assert.equal(
    million,
    '- **1 M a day:** nothing is full. First to be: bulk-archive: conversations of a minute (17 %); then: one producer process (5.6 %).',
  );
  assert.match(billion!, /full, .*one producer process \(56 ×\)/);
  assert.doesNotMatch(billion!, /Next/);
  const fast = { ...BENCHMARK, lines: BENCHMARK.lines.map(({ name }) => line(name, 0.001, 0.001, 0.001)) };
  const delivered = { recordsPerSecond: 10, date: '2026-01-31' };
  const [slowest, hundred] = verdicts(scaleOf(fast, set, delivered))!;
  assert.match(
    slowest,
    /full, the first in front: one consumer process to one HTTP target \(2.8 ×\)\. Next: 6 consumer/,
  );
  assert.match(hundred!, /bulk-archive: conversations of a minute \(17 ×\)\. Next: details-jobs: requests \(56 %\)\.$/);
});

test('what the deliveries of a consumer were measured at is told with its day', async () => {
  const text = scaleOf(BENCHMARK, await defaults(), { recordsPerSecond: 10, date: '2026-01-30' });
  assert.match(text, /\| 10 a second \| .*at most 10 a second, `npm run bench:deliver` of 2026-01-30 \|/);
});

test('polls are those of the poller: 0 s, 2.5, 6, 11, 18.25, 28.9, 44.6, 67.8', async () => {
  assert.equal(await pollsOf(0), 1);
  assert.equal(await pollsOf(6000), 3);
  assert.equal(await pollsOf(60_000), 8);
});

test('what is assumed of the code is so', () => {
  const size = `${ASSUMED.shortestWindowSeconds}s`;
  assert.ok(SETTINGS.schema.safeParse({ windows: { size } }).success);
  const shorter = `${ASSUMED.shortestWindowSeconds - 1}s`;
  assert.ok(!SETTINGS.schema.safeParse({ windows: { size: shorter } }).success);
  assert.equal(topicSpecs({ prefix: '' }).data.config['retention.ms'], undefined);
});
