import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Following, stop } from '../../fixtures/followers.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';

const servers = useServers({ brokers: 3 });
const RECORDS = 3000;
const BROKERS = [0, 1, 2];

test('all brokers go away while two processes follow, and come back: they go on by themselves, and nothing is there twice', async () => {
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-07', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-07T00:00:00Z', '--job-ms', '1500']);
  await using following = await Following.of(servers, simulator, 'from: 2025-10-01, size: 12h, rereads: []');
  const processes = [following.start()];
  await following.until((lines) => lines.length > 0);
  processes.push(following.start());
  const done = (lines: readonly { readonly state: string }[]) => lines.filter(({ state }) => state === 'done').length;
  await following.until((lines) => done(lines) >= 2);
  await Promise.all(BROKERS.map((index) => servers.stack.killBroker(index)));
  await delay(8000);
  for (const { child, ended } of processes) {
    if (child.exitCode !== null) assert.fail(`it did not wait for the brokers:\n${(await ended).stderr}`);
  }
  await Promise.all(BROKERS.map((index) => servers.stack.startBroker(index)));
  await following.until((lines) => done(lines) === 12);
  for (const { status, stderr } of await Promise.all(processes.map((running) => stop(running, 'SIGTERM')))) {
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /window failed/, 'a window was blamed for the brokers');
  }
  assert.equal((await following.assertOnceEach()).size, RECORDS, 'conversations are missing');
});
