import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, startProxy } from '@genesys-kafka/testing';
import { Following, stop } from '../../fixtures/followers.ts';
import { untilReady } from '../../fixtures/health.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { setAvailability } from '../../fixtures/simulator-control.ts';

const servers = useServers({ brokers: 3 });
const RECORDS = 3000;
const BROKERS = [0, 1, 2];
/** Longer ones find other limits, of five minutes at most: to be asked for by hand. */
const OUTAGE_SECONDS = Number(process.env.PROVE_OUTAGE_SECONDS ?? 8);
/** A lane has a minute to be claimed before it is told that it cannot be. */
const TOLD_SECONDS = 90;
const MOST_GROWTH_MIB = 40;

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

test('brokers and registry go away while two processes follow, and the brokers come back: they go on by themselves, nothing is there twice', async (t) => {
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-07', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-02T00:00:00Z', '--job-ms', '2500']);
  await using following = await Following.of(servers, simulator, 'from: 2025-10-01, size: 12h, rereads: []');
  const registry = new URL(servers.registryUrl);
  await using door = await startProxy({ target: registry.host });
  const env = { SCHEMA_REGISTRY_URL: servers.registryUrl.replace(registry.host, door.address) };
  const ports = await freePorts(2);
  const processes = ports.map((port) => following.start({ ...env, HTTP_PORT: String(port) }));
  // A start needs the registry.
  await Promise.all(ports.map((port) => untilReady(port)));
  // However long the second one's start has taken, most is still to be done.
  await setAvailability(simulator, '2025-10-07T00:00:00Z');
  const done = (lines: readonly { readonly state: string }[]) => lines.filter(({ state }) => state === 'done').length;
  await following.until((lines) => done(lines) >= 3);
  door.refuse(true);
  door.resetAll();
  const pids = processes.map(({ child }) => child.pid!);
  const before = await Promise.all(pids.map(residentMiB));
  await Promise.all(BROKERS.map((index) => servers.stack.killBroker(index)));
  await delay(OUTAGE_SECONDS * 1000);
  for (const { child, ended } of processes) {
    if (child.exitCode !== null) assert.fail(`it did not wait for the brokers:\n${(await ended).stderr}`);
  }
  if (OUTAGE_SECONDS > TOLD_SECONDS) await Promise.all(ports.map((port) => untilReady(port, /lane|group/)));
  const after = await Promise.all(pids.map(residentMiB));
  t.diagnostic(before.map((mib, index) => `${mib.toFixed()} to ${after[index]!.toFixed()} MiB`).join(', '));
  for (const [index, mib] of after.entries()) assert(mib - before[index]! < MOST_GROWTH_MIB, 'memory grows meanwhile');
  await Promise.all(BROKERS.map((index) => servers.stack.startBroker(index)));
  await following.until((lines) => done(lines) === 12);
  await Promise.all(ports.map((port) => untilReady(port)));
  for (const { status, stderr } of await Promise.all(processes.map((running) => stop(running, 'SIGTERM')))) {
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /window failed/, 'a window was blamed for the brokers');
  }
  assert.equal((await following.assertOnceEach()).size, RECORDS, 'conversations are missing');
});
