import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStack, uniquePrefix } from '@genesys-kafka/testing';
import type { ExportReport, Stats } from '../../fixtures/exports.ts';
import { runProducer, startSimulator } from '../../fixtures/processes.ts';
import { recordingForwarder } from '../../fixtures/recording-forwarder.ts';

const PER_MINUTE = 60;

test('20 windows side by side stay within the limit of requests: no 429, and nearly all of it is used', async () => {
  await using stack = await startStack();
  const args = ['--records', '400', '--job-ms', '0', '--short-pages', '0', '--rate', String(PER_MINUTE)];
  await using simulator = await startSimulator(args);
  await using api = await recordingForwarder(simulator.apiUrl);
  const dir = await mkdtemp(join(tmpdir(), 'budget-'));
  try {
    const file = join(dir, 'config.yaml');
    await writeFile(file, 'genesys: { concurrentJobs: 20, requestsPerSecond: 100 }\n');
    const command = [
      'export',
      '--from',
      '2025-10-01',
      '--to',
      '2025-10-01T20:00:00Z',
      '--window',
      '1h',
      '--json',
      '--config',
      file,
    ];
    const ended = await runProducer(command, {
      KAFKA_BROKERS: stack.brokers.join(','),
      SCHEMA_REGISTRY_URL: stack.registryUrl,
      KAFKA_TOPIC_PREFIX: uniquePrefix(),
      SPOOL_DIR: dir,
      ...simulator.env,
      GENESYS_API_URL: `http://${api.host}`,
    });
    assert.equal(ended.status, 0, ended.stderr);
    const { windows, records } = JSON.parse(ended.stdout) as ExportReport;
    // A conversation belongs to each hour that it lasts in.
    assert.ok(windows === 20 && records.published > 0, ended.stdout);
    const { requests } = (await (await fetch(`${simulator.apiUrl}/_simulator/stats`)).json()) as Stats;
    const counted = Object.entries(requests).filter(([operation]) => operation !== 'token');
    const answers = counted.flatMap(([, statuses]) => Object.entries(statuses));
    assert.deepEqual(
      answers.filter(([status]) => status === '429'),
      [],
      JSON.stringify(requests),
    );
    const total = answers.reduce((sum, [, count]) => sum + count, 0);
    // So many that they need a second minute, and no third one where the first is used.
    assert.ok(total > PER_MINUTE && total < 2 * PER_MINUTE, JSON.stringify(requests));
    const counts = api.seen.map(({ answerHeaders }) => Number(answerHeaders['inin-ratelimit-count']));
    assert.equal(counts.filter((count) => count === 1).length, 2, `minutes that began: ${counts.join()}`);
    assert.ok(Math.max(...counts) >= 0.9 * PER_MINUTE, `of ${PER_MINUTE} requests: ${counts.join()}`);
  } finally {
    await rm(dir, { recursive: true });
  }
});
