import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts, secured, securedUser, testAuthority } from '@genesys-kafka/testing';
import { Rights, type Operation, type Resource } from '@genesys-kafka/testing/rights';
import { topicSpecs } from '@genesys-kafka/topics';
import { Following, stop } from '../../fixtures/followers.ts';
import { untilReady } from '../../fixtures/health.ts';
import { startSimulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { setAvailability } from '../../fixtures/simulator-control.ts';

const servers = useServers(secured);
const RECORDS = 900;
const DAYS = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', '2025-10-04', '--rate', '1000000'];
const login = {
  KAFKA_SSL: 'true',
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_SASL_USERNAME: securedUser.username,
  KAFKA_SASL_PASSWORD: securedUser.password,
};

test('rights that are taken away under run: not ready, and told why; given back it goes on, and nothing was given up', async () => {
  await using simulator = await startSimulator([...DAYS, '--availability', '2025-10-02T00:00:00Z', '--job-ms', '0']);
  const authority = join(servers.dir, 'authority.pem');
  await writeFile(authority, testAuthority);
  const windows = 'from: 2025-10-01, size: 12h, rereads: []';
  await using following = await Following.of(servers, simulator, windows, `tls: { caFile: ${authority} }`);
  await using rights = await Rights.at(servers.stack.brokers);
  await rights.grantAll(following.prefix);
  const [port = 0] = await freePorts(1);
  const brokers = servers.stack.listeners.LOGIN!.join(',');
  const running = following.start({ ...login, KAFKA_BROKERS: brokers, HTTP_PORT: String(port) });
  const done = async (count: number) =>
    following.until((lines) => lines.length === count && lines.every(({ state }) => state === 'done'));
  await done(2);
  const { data, ledger } = topicSpecs({ prefix: following.prefix });
  const group = `${following.prefix}default.run`;
  const phases: readonly (readonly [RegExp, string, readonly (readonly [Resource, string, Operation])[]])[] = [
    [/lane \d+ is lost for authorization-failed/, '2025-10-03T00:00:00Z', [['TOPIC', data.name, 'WRITE']]],
    [
      /not a member of the group/,
      '2025-10-04T00:00:00Z',
      [
        ['GROUP', group, 'READ'],
        ['TOPIC', ledger.name, 'WRITE'],
      ],
    ],
  ];
  for (const [index, [reason, until, taken]] of phases.entries()) {
    await untilReady(port);
    const giveBack = await Promise.all(taken.map(async (right) => rights.takeAway(...right)));
    await setAvailability(simulator, until);
    await untilReady(port, reason);
    assert.equal(running.child.exitCode, null, 'it gave up');
    for (const give of giveBack) await give();
    await done(2 * (index + 2));
  }
  await untilReady(port);
  const { status, stdout, stderr } = await stop(running, 'SIGTERM');
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /canary/);
  assert.doesNotMatch(stderr, /window failed/, 'a window was blamed for it');
  assert.equal((await following.assertOnceEach()).size, RECORDS, 'conversations are missing');
});
