import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicSpecs } from '@genesys-kafka/topics';
import kafkajs from 'kafkajs';
import { Following, stop } from '../../fixtures/followers.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { setAvailability } from '../../fixtures/simulator-control.ts';
import { readTopic } from '../../fixtures/topics.ts';

const servers = useServers();
const RECORDS = 400;
const PATIENCE_MS = 150_000;

test('a ledger that is deleted and made again under run ends it, and stops the next start: nothing is published again', async () => {
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-03', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-02T00:00:00Z', '--job-ms', '0']);
  await using following = await Following.of(servers, simulator, 'from: 2025-10-01, size: 12h, rereads: []');
  const running = following.start();
  await following.until((lines) => lines.length === 2 && lines.every(({ state }) => state === 'done'));
  const { ledger } = topicSpecs({ prefix: following.prefix });
  const admin = new kafkajs.Kafka({ brokers: servers.stack.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [ledger.name] });
  await admin.disconnect();
  // A broker learns of it at its own time, and until then nothing is missing.
  while ((await servers.client.admin.createMissing([ledger])).length === 0);
  // There is something to do, and so the ledger to write to.
  await setAvailability(simulator, '2025-10-03T00:00:00Z');
  const { status, stderr } = await running.ended;
  assert.equal(status, 1, stderr);
  assert.match(stderr, /error: ledger-missing: .*was deleted and made again while it was in use/);
  const { records } = await following.published();
  const identities = new Set(records.map(({ key, window }) => `${window.slice(0, 10)} ${key}`));
  assert.equal(identities.size, records.length, 'something was published again');
  const again = await following.run(['run']);
  assert.deepEqual([again.status, again.stderr.includes('ledger-missing')], [1, true], again.stderr);
});

test('digests end once no reading reaches their day any more, those that are still asked stay', async () => {
  // 1 and 13 October have one lane.
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-14', '--rate', '1000000'];
  await using simulator = await startSimulator([...days, '--availability', '2025-10-03T00:00:00Z', '--job-ms', '0']);
  const rereads = 'rereads: [{ age: 2d, every: 1d }]';
  await using following = await Following.of(servers, simulator, `from: 2025-10-01, size: 1d, ${rereads}`);
  const running = following.start();
  const done = async (count: number) =>
    following.until((lines) => lines.length === count && lines.every(({ state }) => state === 'done'));
  await done(2);
  const { digests } = topicSpecs({ prefix: following.prefix });
  /** Conversations of a day that have a digest. */
  const held = async (day: string) => {
    const last = new Map<string, boolean>();
    for (const { key, value } of await readTopic(servers.client, digests.name)) {
      if (String(key).startsWith(`default/${day}/`)) last.set(String(key), value !== null);
    }
    return [...last.values()].filter(Boolean).length;
  };
  const first = await held('2025-10-01');
  assert(first > 0);
  await setAvailability(simulator, '2025-10-14T00:00:00Z');
  await done(13);
  const endMs = performance.now() + PATIENCE_MS;
  while ((await held('2025-10-01')) > 0) assert(performance.now() < endMs, 'digests of a day that is over stay');
  for (const day of ['2025-10-12', '2025-10-13']) assert((await held(day)) > 0, day);
  const { status, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  await following.assertOnceEach();
});
