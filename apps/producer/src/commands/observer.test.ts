import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, createMetrics, type Progress } from '@genesys-kafka/runtime';
import { createObserver } from './observer.ts';

test('downloads side by side and one after the other: each byte is counted once, and the bar shows their sum', async () => {
  using metrics = createMetrics();
  const shown = { value: 0, total: 0 };
  const task = {
    advance: () => assert.fail(),
    total: (amount: number) => void (shown.total = amount),
    reset: (amount: number) => void (shown.value = amount),
    done: () => undefined,
  };
  const progress = { task: () => task } as unknown as Progress;
  using observer = createObserver(metrics, progress, createLogger({ name: 'test', level: 'silent' }));
  const one = observer.onDownload();
  const other = observer.onDownload();
  one(300, 1000);
  other(50);
  one(900, 1000);
  // The object had changed: this download begins anew.
  one(0, 500);
  one(500, 500);
  other(100);
  const later = observer.onDownload();
  later(70, 70);
  assert.match(await metrics.text(), /genesys_kafka_downloaded_bytes_total 1570\n/);
  assert.deepEqual(shown, { value: 670, total: 670 });
});

test('sources are counted from 0 on, so that the first that does not end well is a rise', async () => {
  using metrics = createMetrics();
  const progress = { task: () => assert.fail() } as unknown as Progress;
  using _observer = createObserver(metrics, progress, createLogger({ name: 'test', level: 'silent' }));
  assert.deepEqual((await metrics.text()).match(/^genesys_kafka_sources_total\{.*$/gm), [
    'genesys_kafka_sources_total{state="done"} 0',
    'genesys_kafka_sources_total{state="partial"} 0',
    'genesys_kafka_sources_total{state="rejected"} 0',
  ]);
});

test('the budget of Genesys is read when somebody looks', async () => {
  using metrics = createMetrics();
  const progress = { task: () => assert.fail() } as unknown as Progress;
  using observer = createObserver(metrics, progress, createLogger({ name: 'test', level: 'silent' }));
  assert.match(await metrics.text(), /genesys_budget_allowed_requests 0\n/);
  let budget = { used: 7, allowed: 300, waitedMs: 1500 };
  observer.watchBudget(() => budget);
  await metrics.text();
  budget = { used: 9, allowed: 300, waitedMs: 2500 };
  const text = await metrics.text();
  assert.match(text, /genesys_budget_used_requests 9\n/);
  assert.match(text, /genesys_budget_allowed_requests 300\n/);
  assert.match(text, /genesys_budget_wait_seconds_total 2.5\n/);
});
