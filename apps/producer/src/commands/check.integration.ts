import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSchemaRegistry } from '@genesys-kafka/schema-registry';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { runProducer, startSimulator, type Simulator } from '../../fixtures/processes.ts';
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
    assert.match(
      before.said.genesys!,
      contract === 'details-jobs' ? /^ok: logged in, with .*:view$/ : /^ok: logged in, and jobs/,
    );
    assert.match(before.said.budget!, /^ok: 300 requests are allowed in a window, \d are used in this one/);
    assert.match(before.said.clock!, /^ok: within \d s of (?:127\.0\.0\.1|localhost):\d+, 127\.0\.0\.1:\d+$/);
    assert.match(before.said.spool!, /^ok: .*, [\d.]+ [kMGT]B free/);
    // Nobody knows who may write what is not there.
    assert.match(
      before.said.rights!,
      /^warning: .*not tried: write the topic .*conversation-details \(it is still to be/,
    );
    const [availability, submit] =
      contract === 'details-jobs' ? [/^ok: .*until 20/, undefined] : [/^skipped: /, /^skipped: /];
    assert.match(before.said.availability!, availability);
    if (submit) assert.match(before.said.submit!, submit);
    assert.equal(before.said.run, undefined);
  }
  assert.equal(await servers.client.admin.describeTopic(specs.data.name), undefined);

  const source = join(servers.dir, 'check.ndjson');
  await writeFile(source, conversations('check', 3).join('\n'));
  assert.equal((await runProducer(['publish', source], env)).status, 0);
  const after = await check(env);
  assert.equal(after.status, 0);
  assert.equal(after.said.kafka, 'ok: 1 broker, all topics fit');
  assert.match(after.said.rights!, /^ok: /);
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
  for (const name of ['availability', 'budget']) assert.equal(said[name], 'skipped: the login comes first');
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
  assert.equal(said.rights, 'skipped: the brokers come first');
  assert.match(said.clock!, /^ok: within \d s of 127\.0\.0\.1:\d+$/, 'a login that is refused has a date');
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

/** Changes the stand-in's ways while it runs. */
async function control({ apiUrl }: Simulator, method: string, path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { ok, status } = await fetch(`${apiUrl}/_simulator/${path}`, { method, headers, body: JSON.stringify(body) });
  assert.ok(ok, `${path} ${status}`);
}

test('what `run` would stop at: windows that do not divide a day, a date and limits that cannot be read, a login revoked', async () => {
  await using simulator = await startSimulator(['--records', '10']);
  const prefix = uniquePrefix();
  const config = join(servers.dir, 'follow.yaml');
  const env = { ...servers.env(prefix), ...simulator.env };
  await writeFile(config, 'windows: { from: 2025-10-01, size: 1h }\n');
  const good = await check(env, ['--config', config]);
  assert.equal(good.status, 0, JSON.stringify(good.said));
  assert.match(good.said.kafka!, /record-digests will be created/);
  assert.equal(good.said.run, 'ok: follows from 2025-10-01T00:00:00.000Z on');

  const odd = {
    headers: {
      'inin-ratelimit-count': 'many',
      'inin-ratelimit-allowed': '300',
      'inin-ratelimit-reset': '1',
    },
    contentType: 'application/json',
    body: '{"dataAvailabilityDate":"soon"}',
  };
  await control(simulator, 'POST', 'faults', [{ on: 'availability', do: { kind: 'status', status: 200, ...odd } }]);
  await writeFile(config, 'windows: { from: 2025-10-01, size: 7h }\n');
  const bad = await check(env, ['--config', config]);
  assert.equal(bad.status, 2);
  assert.match(bad.said.run!, /^failed: follow-size: /);
  assert.match(bad.said.genesys!, /^ok: logged in/);
  assert.match(bad.said.availability!, /^failed: bad-answer: .*dataAvailabilityDate/);
  assert.match(bad.said.budget!, /^warning: the inin-ratelimit headers cannot be read/);

  await control(simulator, 'PUT', 'credentials', { revoked: true });
  const revoked = await check(env);
  assert.equal(revoked.status, 1);
  assert.match(revoked.said.genesys!, /^failed: login-failed: /);
  assert.equal(revoked.said.availability, 'skipped: the login comes first');
});

test('a schema that may not follow what the subject holds is told before anything is published', async () => {
  await using simulator = await startSimulator(['--records', '10']);
  const prefix = uniquePrefix();
  const registry = createSchemaRegistry({ url: servers.registryUrl });
  const other = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: {} };
  const schema = JSON.stringify({ ...other, properties: { conversationId: { type: 'number' } } });
  const subject = `${prefix}conversation-details-value`;
  await registry.resolveId({ subject, schema, mode: 'auto', compatibility: 'FORWARD' });
  const { said, status } = await check({ ...servers.env(prefix), ...simulator.env });
  assert.equal(status, 1);
  assert.match(said.registry!, /^failed: schema-incompatible: .*-value/);
});
