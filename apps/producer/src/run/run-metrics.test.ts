import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '@genesys-kafka/runtime';
import { createRunMetrics, type RunFigures } from './run-metrics.ts';

test('figures show what is so when they are asked for; how far behind is not shown where no lane is in hand', async () => {
  using metrics = createMetrics();
  const started: { run?: { figures: RunFigures } } = {};
  createRunMetrics(metrics, started);
  assert.doesNotMatch(await metrics.text(), /run_behind_seconds \d/);
  const figures = { lanes: 12, unclaimed: 0, inWork: 2, windows: new Map([['done', 30]] as const), oldestFailureMs: 0 };
  started.run = { figures: { ...figures, behindMs: 90_000 } };
  const text = await metrics.text();
  for (const line of ['run_behind_seconds 90', 'run_lanes 12', 'run_windows{state="done"} 30']) {
    assert(text.includes(`genesys_kafka_${line}\n`), line);
  }
  started.run = { figures: { ...figures, lanes: 0, behindMs: undefined } };
  assert.doesNotMatch(await metrics.text(), /run_behind_seconds \d/);
});
