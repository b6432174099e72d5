import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { uniquePrefix } from '@genesys-kafka/testing';
import { runProducer, startProducer, startSimulator, writeArchive } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, untilWritten } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const servers = useServers();

async function assertOnceEach(prefix: string, count: number): Promise<void> {
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(new Set(records.map(({ source, ordinal }) => `${source} ${ordinal}`)).size, records.length);
  assert.equal(new Set(records.map(({ key }) => key)).size, count, 'conversations are missing');
  assert.equal(records.length, count, 'records are there twice');
}

const DAY = ['--from', '2025-10-01', '--to', '2025-10-02', '--window', '1d'];
const SLOW_PAGES = { rules: [{ on: 'results', times: 'always', do: { kind: 'latency', ms: 700 } }] };

/** A day of 10 pages that each take a while: long enough for something to happen in the middle. */
async function slowExport(contract = 'details-jobs') {
  const simulator = await startSimulator([
    '--records',
    '10000',
    '--job-ms',
    '0',
    '--short-pages',
    '0',
    '--rate',
    '100000',
  ]);
  await fetch(`${simulator.apiUrl}/_simulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(SLOW_PAGES),
  });
  const prefix = uniquePrefix();
  return { simulator, prefix, env: { ...servers.env(prefix), ...simulator.env, GENESYS_CONTRACT: contract } };
}

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`${signal} while an archive is published ends with ${status}, and the next run completes it, each record once`, async () => {
    const archive = join(servers.dir, `${signal}.zip`);
    await writeArchive(archive, ['--records', '12000']);
    const prefix = uniquePrefix();
    // A transaction for each step: it is stopped between the first and the last of them.
    const config = join(servers.dir, 'small-transactions.yaml');
    await writeFile(config, 'kafka: { transaction: { maxBytes: 256KiB } }\n');
    const args = ['--config', config, 'publish', archive, '--json'];
    const { child, ended } = startProducer(args, servers.env(prefix));
    await untilWritten(servers.client, prefix, ended);
    child.kill(signal);
    const result = await ended;
    assert.equal(result.status, status, result.stderr);
    assert.equal(result.stdout, '');
    assert.doesNotMatch(result.stderr, /error:|unexpected/);
    const left = await runProducer(['status'], servers.env(prefix));
    assert.match(left.stdout, /^[0-9a-f]+ {2}archive, last change .*\n {2}1 window: 1 publishing\n/);
    assert.match(left.stdout, /\n {2}publishing content-\S+, \d+ records\n/);
    const next = await runProducer(args, servers.env(prefix));
    assert.equal(next.status, 0, next.stderr);
    assert.equal((JSON.parse(next.stdout) as Report).records.published, 12_000);
    await assertOnceEach(prefix, 12_000);
  });
}

test('SIGTERM while pages are read: what was read is committed, and the next run goes on with the same job', async () => {
  const { simulator, prefix, env } = await slowExport();
  await using _ = simulator;
  const { child, ended } = startProducer(['export', ...DAY, '--json'], env);
  await untilWritten(servers.client, prefix, ended);
  child.kill('SIGTERM');
  assert.equal((await ended).status, 143);
  const { records } = await readPublished(servers.client, prefix);
  assert(records.length > 0, 'nothing was committed on the way out');
  const next = await runProducer(['export', ...DAY, '--json'], env);
  assert.equal(next.status, 0, next.stderr);
  await assertOnceEach(prefix, 10_000);
  const stats = (await (await fetch(`${simulator.apiUrl}/_simulator/stats`)).json()) as {
    requests: Record<string, number>;
  };
  assert.deepEqual(stats.requests.submit, { 202: 1 });
});

test('the same command twice at once: the earlier ends with 1, taken over, and each record is there once', async () => {
  const { simulator, prefix, env } = await slowExport();
  await using _ = simulator;
  const first = startProducer(['export', ...DAY, '--json'], env);
  await untilWritten(servers.client, prefix, first.ended);
  const second = startProducer(['export', ...DAY, '--json'], env);
  const [loser, winner] = await Promise.all([first.ended, second.ended]);
  assert.equal(winner.status, 0, winner.stderr);
  assert.equal(loser.status, 1, loser.stderr);
  assert.match(loser.stderr, new RegExp(`error: taken-over: Taken over by \\S+:${second.child.pid} `));
  assert.equal(loser.stdout, '');
  await assertOnceEach(prefix, 10_000);
});

test('no spool file outlives an export, whether it ended by itself or was stopped', async () => {
  const { simulator, prefix, env } = await slowExport('bulk-archive');
  await using _ = simulator;
  const spool = join(servers.dir, 'bulk-spool');
  const args = ['export', '--from', '2025-10-01', '--to', '2025-10-02', '--window', '6h', '--json'];
  const { child, ended } = startProducer(args, { ...env, SPOOL_DIR: spool });
  await untilWritten(servers.client, prefix, ended);
  child.kill('SIGTERM');
  assert.equal((await ended).status, 143);
  assert.deepEqual(await readdir(spool), []);
  const next = await runProducer(args, { ...env, SPOOL_DIR: spool });
  assert.equal(next.status, 0, next.stderr);
  assert.deepEqual(await readdir(spool), []);
  await assertOnceEach(prefix, 10_000);
});
