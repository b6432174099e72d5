import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@genesys-kafka/testing';
import { Following, stop } from '../../fixtures/followers.ts';
import { untilReady } from '../../fixtures/health.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';

const servers = useServers();
const PATIENCE_MS = 150_000;
const LAST = '2025-10-02T06:00:00Z';

test('what a run shows of itself moves as it reads, reads again, fails and goes on', async () => {
  const days = ['--records', '2000', '--from', '2025-10-01', '--to', '2025-10-03', '--rate', '100000'];
  await using simulator = await startSimulator([...days, '--job-ms', '0']);
  const control = async (method: string, path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${simulator.apiUrl}/_simulator/${path}`, {
      method,
      body: JSON.stringify(body),
      headers,
    });
    assert(answer.ok, await answer.text());
  };
  const available = (dataAvailabilityDate: string) => control('PUT', 'availability', { dataAvailabilityDate });
  const fault = (on: string, what: object) => control('POST', 'faults', { rules: [{ on, times: 'always', do: what }] });
  await available('2025-10-01T13:00:00Z');
  const rereads = 'rereads: [{ age: 12h, every: 6h }]';
  await using following = await Following.of(servers, simulator, `from: 2025-10-01, size: 6h, ${rereads}`);
  const [port = 0] = await freePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const running = following.start({ HTTP_PORT: String(port) });

  /** Resolves when all of these have a value as asked for; fails with what they had last. */
  const until = async (wanted: Readonly<Record<string, (value: number) => boolean>>) => {
    const startMs = performance.now();
    for (;;) {
      const text = await fetch(`${origin}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
      const values = new Map(
        [...text.matchAll(/^genesys_kafka_(\S+) (\S+)$/gm)].map(([, name, value]) => [name!, Number(value)]),
      );
      const lacking = Object.entries(wanted).filter(([name, isWanted]) => !isWanted(values.get(name) ?? NaN));
      if (lacking.length === 0) return;
      const told = lacking.map(([name]) => `${name} ${values.get(name)}`).join(', ');
      assert(performance.now() - startMs < PATIENCE_MS, `not as wanted: ${told}`);
      await delay(100);
    }
  };
  const is = (number: number) => (value: number) => value === number;
  const some = (value: number) => value > 0;

  await until({
    run_lanes: is(12),
    run_lanes_unclaimed: is(0),
    'run_windows{state="done"}': is(2),
    'run_readings_total{reading="first",state="done"}': is(2),
    'run_job_seconds_count{state="done"}': is(2),
    'run_poll_seconds_count{state="done"}': is(2),
    run_behind_seconds: some,
    run_oldest_failure_seconds: is(0),
    genesys_budget_used_requests: some,
    genesys_budget_allowed_requests: is(100_000),
  });
  await untilReady(port);

  await available('2025-10-02T00:00:00Z');
  await until({
    'run_readings_total{reading="again",state="done"}': is(1),
    'run_reread_records_total{outcome="unchanged"}': some,
    'run_reread_records_total{outcome="published"}': is(0),
  });

  await fault('submit', { kind: 'latency', ms: 1000 });
  await fault('status', { kind: 'job', state: 'FAILED', message: 'The query failed.' });
  await available(LAST);
  await until({ run_windows_in_work: some });
  await until({
    'run_windows{state="failed"}': some,
    run_oldest_failure_seconds: some,
    'run_job_seconds_count{state="failed"}': some,
  });
  await control('DELETE', 'faults', {});
  await until({ 'run_windows{state="failed"}': is(0), run_oldest_failure_seconds: is(0), run_windows_in_work: is(0) });

  await control('PUT', 'credentials', { revoked: true });
  await untilReady(port, /Genesys cannot be asked/);
  const { status, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
});
