import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { uniquePrefix } from '@genesys-kafka/testing';
import { runProducer, startProducer, startSimulator } from '../../fixtures/processes.ts';
import { recordingForwarder } from '../../fixtures/recording-forwarder.ts';
import { useServers } from '../../fixtures/servers.ts';
import { addFaults, clearFaults, untilHit } from '../../fixtures/simulator-control.ts';
import { readPublished, untilWritten } from '../../fixtures/topics.ts';

const servers = useServers();

async function assertOnceEach(prefix: string, count: number): Promise<void> {
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(new Set(records.map(({ source, ordinal }) => `${source} ${ordinal}`)).size, records.length);
  assert.equal(new Set(records.map(({ key }) => key)).size, count, 'conversations are missing');
  assert.equal(records.length, count, 'records are there twice');
}

const DAY = ['--from', '2025-10-01', '--to', '2025-10-02', '--window', '1d'];
const HOUR_MS = 3_600_000;

/** A day of 10 pages, or of an archive for each of its windows. */
async function anExport(contract = 'details-jobs') {
  const records = ['--records', '10000', '--job-ms', '0', '--short-pages', '0', '--rate', '100000'];
  const simulator = await startSimulator(records);
  const prefix = uniquePrefix();
  return { simulator, prefix, env: { ...servers.env(prefix), ...simulator.env, GENESYS_CONTRACT: contract } };
}

test('SIGTERM while pages are read: what was read is committed, and the next run goes on with the same job', async () => {
  const { simulator, prefix, env } = await anExport();
  await using _ = simulator;
  // However quick it is, it does not get further than this.
  await addFaults(simulator, [{ on: 'results', after: 4, times: 'always', do: { kind: 'latency', ms: HOUR_MS } }]);
  const { child, ended } = startProducer(['export', ...DAY, '--json'], env);
  await untilHit(simulator, ended);
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  assert.equal(status, 143, stderr);
  const { records } = await readPublished(servers.client, prefix);
  assert(records.length > 0, 'nothing was committed on the way out');
  await clearFaults(simulator);
  const next = await runProducer(['export', ...DAY, '--json'], env);
  assert.equal(next.status, 0, next.stderr);
  await assertOnceEach(prefix, 10_000);
  const stats = (await (await fetch(`${simulator.apiUrl}/_simulator/stats`)).json()) as {
    requests: Record<string, number>;
  };
  assert.deepEqual(stats.requests.submit, { 202: 1 });
});

test('the same command twice at once: the earlier ends with 1, taken over, and each record is there once', async () => {
  const { simulator, prefix, env } = await anExport();
  await using _ = simulator;
  // The earlier one is in the midst of its pages for as long as the later one takes, and goes on then.
  await using api = await recordingForwarder(simulator.apiUrl);
  const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  let pages = 0;
  api.rewrite = async (answer, url) => {
    if (url.includes('/results')) pages += 1;
    if (pages <= 4) return answer;
    reached.resolve(undefined);
    await released.promise;
    return answer;
  };
  const first = startProducer(['export', ...DAY, '--json'], { ...env, GENESYS_API_URL: `http://${api.host}` });
  const isEarly = first.ended.then(({ status, stderr }) => assert.fail(`it ended with ${status}: ${stderr}`));
  await Promise.race([reached.promise, isEarly]);
  const second = startProducer(['export', ...DAY, '--json'], env);
  const winner = await second.ended;
  released.resolve(undefined);
  const loser = await first.ended;
  assert.equal(winner.status, 0, winner.stderr);
  assert.equal(loser.status, 1, loser.stderr);
  assert.match(loser.stderr, new RegExp(`error: taken-over: Taken over by \\S+:${second.child.pid} `));
  assert.equal(loser.stdout, '');
  await assertOnceEach(prefix, 10_000);
});

test('no spool file outlives an export, whether it ended by itself or was stopped', async () => {
  const { simulator, prefix, env } = await anExport('bulk-archive');
  await using _ = simulator;
  const spool = join(servers.dir, 'bulk-spool');
  const args = ['export', '--from', '2025-10-01', '--to', '2025-10-02', '--window', '6h', '--json'];
  // One archive comes whole; the others are on their way, and stay so.
  await addFaults(simulator, [{ on: 'file', after: 1, times: 'always', do: { kind: 'stall', afterBytes: 60_000 } }]);
  const { child, ended } = startProducer(args, { ...env, SPOOL_DIR: spool });
  await untilWritten(servers.client, prefix, ended);
  await untilHit(simulator, ended);
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  assert.equal(status, 143, stderr);
  assert.deepEqual(await readdir(spool), []);
  await clearFaults(simulator);
  const next = await runProducer(args, { ...env, SPOOL_DIR: spool });
  assert.equal(next.status, 0, next.stderr);
  assert.deepEqual(await readdir(spool), []);
  await assertOnceEach(prefix, 10_000);
});
