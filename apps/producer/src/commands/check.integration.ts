import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { runProducer, startSimulator } from '../../fixtures/processes.ts';
import { conversations } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';

const servers = useServers();

interface Checked {
  readonly ok: boolean;
  readonly status: number | null;
  /** Status and message by check. */
  readonly said: Readonly<Record<string, string>>;
}

async function check(env: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Checked> {
  const { stdout, stderr, status } = await runProducer([...args, 'check', '--json'], env);
  assert.doesNotMatch(stdout + stderr, /canary/);
  const { ok, checks } = JSON.parse(stdout) as {
    ok: boolean;
    checks: readonly { check: string; status: string; message: string }[];
  };
  return { ok, status, said: Object.fromEntries(checks.map((one) => [one.check, `${one.status}: ${one.message}`])) };
}

test('before and after the first publish: everything answers, nothing is made by looking', async () => {
  await using simulator = await startSimulator(['--records', '10']);
  const prefix = uniquePrefix();
  const env = { ...servers.env(prefix), ...simulator.env };
  const specs = topicSpecs({ prefix });
  for (const contract of ['details-jobs', 'bulk-archive']) {
    const before = await check({ ...env, GENESYS_CONTRACT: contract });
    assert.equal(before.status, 0, JSON.stringify(before.said));
    assert.equal(before.ok, true);
    assert.match(before.said.kafka!, /^ok: 1 broker, .*conversation-details.* will be created$/);
    assert.match(before.said.registry!, /^ok: answers; .*-value is registered when it is first needed$/);
    assert.match(before.said.genesys!, /^ok: logged in/);
  }
  assert.equal(await servers.client.admin.describeTopic(specs.data.name), undefined);

  const source = join(servers.dir, 'check.ndjson');
  await writeFile(source, conversations('check', 3).join('\n'));
  assert.equal((await runProducer(['publish', source], env)).status, 0);
  const after = await check(env);
  assert.equal(after.status, 0);
  assert.equal(after.said.kafka, 'ok: 1 broker, all topics fit');
  assert.match(after.said.registry!, /^ok: .*-value is registered as schema \d+$/);
});

test('all that is wrong is told at once, each with what to do', async () => {
  await using simulator = await startSimulator(['--records', '10', '--permissions', 'job:view']);
  const prefix = uniquePrefix();
  const { data } = topicSpecs({ prefix });
  await servers.client.admin.createMissing([{ ...data, config: { ...data.config, 'cleanup.policy': 'compact' } }]);
  const config = join(servers.dir, 'require.yaml');
  await writeFile(config, 'schema: { register: require-registered }\n');
  const env = { ...servers.env(prefix), ...simulator.env, SPOOL_DIR: config };
  const { ok, status, said } = await check(env, ['--config', config]);
  assert.equal(status, 1);
  assert.equal(ok, false);
  assert.match(said.kafka!, /^failed: topic-unfit: .*cleanup\.policy/);
  assert.match(said.registry!, /^failed: schema-not-registered: .*set schema\.register: auto\.$/);
  assert.match(said.genesys!, /^failed: permission-missing: .*analytics:conversationDetail:view/);
  assert.match(said.spool!, /^failed: spool-unwritable: .*Set SPOOL_DIR\.$/);
});

test('a wrong secret, a broker and a registry that nobody can reach', async () => {
  await using simulator = await startSimulator(['--records', '10']);
  const { status, said } = await check({
    ...servers.env(uniquePrefix()),
    ...simulator.env,
    GENESYS_CLIENT_SECRET: 'canary-wrong',
    KAFKA_BROKERS: '127.0.0.1:1',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  });
  assert.equal(status, 1);
  assert.match(said.kafka!, /^failed: broker-unreachable: .*127\.0\.0\.1:1/);
  assert.match(said.registry!, /^failed: registry-unreachable: .*127\.0\.0\.1:1/);
  assert.match(said.genesys!, /^failed: login-failed: /);
  assert.match(said.spool!, /^ok: /);
});

test('a ledger that is gone beside published records is told by check, and not made again by publish', async () => {
  await using simulator = await startSimulator(['--records', '10']);
  const prefix = uniquePrefix();
  const { data, ledger } = topicSpecs({ prefix });
  await servers.client.admin.createMissing([data]);
  const producer = servers.client.producer();
  await producer.send({ topic: data.name, partition: 0 }, [{ key: 'c', value: Buffer.from('published once') }]);
  await producer.close();
  const env = { ...servers.env(prefix), ...simulator.env };
  assert.match((await check(env)).said.kafka!, /^failed: ledger-missing: .*--new-ledger/);

  const source = join(servers.dir, 'ledger-gone.ndjson');
  await writeFile(source, conversations('gone', 3).join('\n'));
  const refused = await runProducer(['publish', source], env);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /ledger-missing/);
  assert.equal(await servers.client.admin.describeTopic(ledger.name), undefined);

  assert.equal((await runProducer(['publish', '--new-ledger', source], env)).status, 0);
  assert.equal((await runProducer(['publish', source], env)).status, 0);
});
