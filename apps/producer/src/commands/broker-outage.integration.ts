import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { uniquePrefix } from '@genesys-kafka/testing';
import { startProducer, writeArchive } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, untilWritten } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const RECORDS = 20_000;
// One broker hides the worst holes of a client, and so do three that answer alike.
const servers = useServers({ brokers: 3, slowBroker: { index: 1, latencyMs: 20 } });

test('a broker is killed in the middle of a publish, then the others too: when they are back the same run ends, each record once', async () => {
  const archive = join(servers.dir, 'outage.zip');
  await writeArchive(archive, ['--records', String(RECORDS)]);
  const prefix = uniquePrefix();
  const { child, ended } = startProducer(['publish', archive, '--json'], servers.env(prefix));

  await untilWritten(servers.client, prefix);
  await servers.stack.killBroker(0);
  await untilWritten(servers.client, prefix, { over: RECORDS / 2, seconds: 60 });
  await Promise.all([1, 2].map((index) => servers.stack.killBroker(index)));
  await delay(3000);
  assert.equal(child.exitCode, null, 'it did not wait for the brokers');
  await Promise.all([0, 1, 2].map((index) => servers.stack.startBroker(index)));

  const result = await ended;
  assert.equal(result.status, 0, result.stderr);
  assert.equal((JSON.parse(result.stdout) as Report).records.published, RECORDS);
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(new Set(records.map(({ ordinal }) => ordinal)).size, RECORDS, 'records are missing');
  assert.equal(records.length, RECORDS, 'records are there twice');
});
