import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readToEnd } from '@genesys-kafka/kafka';
import { freePorts, uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { lastHealth } from '../../fixtures/health.ts';
import { startProducer, startSimulator } from '../../fixtures/processes.ts';
import { conversation } from '../../fixtures/records.ts';
import { recordingForwarder } from '../../fixtures/recording-forwarder.ts';
import { useServers } from '../../fixtures/servers.ts';
import { zipOf } from '../../fixtures/zip.ts';

const servers = useServers();

const DAY = ['--from', '2025-10-01', '--to', '2025-10-02', '--json'];
const NAME = 'Kanarienvogel';
const PHONE = '+4915112345678';
const SECRETS = {
  GENESYS_CLIENT_SECRET: 'canary-client-secret',
  SCHEMA_REGISTRY_USERNAME: 'canary-registry-user',
  SCHEMA_REGISTRY_PASSWORD: 'canary-registry-password',
  // It is for https: links, of which there are none here.
  HTTPS_PROXY: 'http://canary-proxy-user:canary-proxy-password@127.0.0.1:1',
};

/** A valid record, and one that is wrong in a name and in a value. */
const PERSONAL = [
  conversation('valid', { participants: [{ participantName: NAME, sessions: [{ ani: PHONE }] }] }),
  conversation('invalid', { participants: [{ participantName: { [PHONE]: NAME }, [NAME]: PHONE }, PHONE] }),
];

/** A server that shows in its error what it was working on. */
const echoing = (on: string) => ({ on, do: { kind: 'status', status: 503, body: `${NAME} ${PHONE}` } });

for (const contract of ['details-jobs', 'bulk-archive']) {
  test(`${contract}: no secret and nothing personal leaves in logs at debug level, reports, metrics, health or headers`, async () => {
    const population = join(servers.dir, 'personal.json');
    await writeFile(population, `[${PERSONAL.join(',')}]`);
    const faults = join(servers.dir, 'faults.json');
    await writeFile(faults, JSON.stringify(['submit', 'status', 'results', 'file'].map(echoing)));
    const secret = ['--client-secret', SECRETS.GENESYS_CLIENT_SECRET];
    await using simulator = await startSimulator([
      '--population',
      population,
      ...secret,
      '--job-ms',
      '500',
      '--faults',
      faults,
    ]);
    await using api = await recordingForwarder(simulator.apiUrl);
    await using files = await recordingForwarder(`http://${simulator.env.GENESYS_FILE_HOSTS}`);
    api.rewrite = (answer) => answer.replace(simulator.env.GENESYS_FILE_HOSTS, files.host);
    const prefix = uniquePrefix();
    const [port] = await freePorts(1);
    const running = startProducer(['export', ...DAY], {
      ...servers.env(prefix),
      ...simulator.env,
      ...SECRETS,
      GENESYS_API_URL: `http://${api.host}`,
      GENESYS_LOGIN_URL: `http://${api.host}`,
      GENESYS_FILE_HOSTS: files.host,
      GENESYS_CONTRACT: contract,
      LOG_LEVEL: 'debug',
      HTTP_PORT: String(port),
    });
    const health = await lastHealth(`http://127.0.0.1:${port}`, running.ended);
    assert.match(health['/metrics'] ?? '', /genesys_kafka_/);
    const { status, stdout, stderr } = await running.ended;
    assert.equal(status, 3, stderr);

    const headers = await headersAndKeys(prefix);
    assert.ok(
      headers.some((line) => line.startsWith('cause: ')),
      'there is a dead letter',
    );
    const links = files.seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('X-Amz-Signature')!);
    const tokens = api.seen.flatMap(({ answer }) => /"access_token":\s*"([^"]+)"/.exec(answer)?.[1] ?? []);
    assert.ok(tokens.length > 0);
    assert.equal(links.length, contract === 'bulk-archive' ? 2 : 0);
    const canaries = [...Object.values(SECRETS), 'canary', ...tokens, ...links, NAME, PHONE, PHONE.slice(1)];
    const outputs = { stdout, stderr, ...health, headers: headers.join('\n') };
    for (const [where, text] of Object.entries(outputs)) {
      for (const canary of canaries) assert.ok(!text.includes(canary), `${canary} in ${where}:\n${text}`);
    }
    for (const { headers: sent } of files.seen) {
      const text = JSON.stringify(sent);
      for (const token of [...tokens, ...Object.values(SECRETS)]) assert.ok(!text.includes(token), text);
      assert.equal(sent.authorization, undefined);
      assert.equal(sent.cookie, undefined);
    }
    assert.deepEqual(await readdir(join(servers.dir, 'spool')).catch(() => []), []);
  });
}

test('a login that a broker refuses is not in what is told of it', async () => {
  const login = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'canary-user', KAFKA_SASL_PASSWORD: 'canary-pw' };
  const file = join(servers.dir, 'valid.json');
  await writeFile(file, `[${PERSONAL[0]}]`);
  const running = startProducer(['publish', file, 'http://canary-a:canary-b@127.0.0.1:1/x?sig=canary-c', '--json'], {
    ...servers.env(uniquePrefix()),
    ...login,
    ...SECRETS,
    LOG_LEVEL: 'debug',
  });
  const { status, stdout, stderr } = await running.ended;
  assert.equal(status, 1, stderr);
  assert.match(stderr, /error: [a-z-]+: /);
  assert.doesNotMatch(stdout + stderr, /canary/);
});

/** Of every record of every topic: its key, and its headers, one a line. The ledger's values belong to nobody else. */
async function headersAndKeys(prefix: string): Promise<string[]> {
  const specs = topicSpecs({ prefix });
  const lines: string[] = [];
  for (const { name } of [specs.data, specs.deadLetters, specs.ledger]) {
    const { partitions } = (await servers.client.admin.describeTopic(name))!;
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const { records } of readToEnd(servers.client, { topic: name, partition })) {
        for (const { key, headers, value } of records) {
          lines.push(
            `key: ${String(key)}`,
            ...Object.entries(headers).map(([header, text]) => `${header}: ${String(text)}`),
          );
          if (name === specs.ledger.name) lines.push(String(value));
        }
      }
    }
  }
  return lines;
}

test('a file name, an entry name or an id that is full of terminal sequences reaches neither terminal nor log raw', async () => {
  const hostile = 'x\nerror: forged: y\u001b]52;c;QQ==\u0007\u009b2J\u202e';
  const dir = join(servers.dir, hostile);
  await mkdir(dir);
  const files = {
    [`good${hostile}.json`]: `[${conversation(`id${hostile}`)},${conversation(`bad${hostile}`, { conversationStart: 1 })}]`,
    [`bad${hostile}.json`]: `<html>${hostile}`,
    [`broken${hostile}.json`]: `[${conversation('x')},${hostile}`,
    [`zip${hostile}.zip`]: zipOf({ name: `a${hostile}.csv`, data: 'x' }),
    [`_${hostile}`]: 'a marker',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  const sources = [dir, join(dir, `bad${hostile}.json`), join(dir, `missing${hostile}`), `${dir}/*${hostile}?`];
  const cases: readonly (readonly [status: number, args: readonly string[]])[] = [
    [3, ['publish', ...sources]],
    [3, ['publish', ...sources, '--json']],
    [2, ['publish', dir, '--config', join(dir, 'missing')]],
    [2, ['publish', dir, '--config', join(dir, `bad${hostile}.json`)]],
    [2, ['export', '--from', hostile, '--to', '2025-10-02']],
    [2, ['export', '--from', '2025-10-01', '--to', '2025-10-02', '--query', dir]],
    // What a shell makes of `publish *` where a file is named like an option.
    [2, ['publish', `--${hostile}`]],
    [2, [hostile]],
  ];
  for (const [expected, args] of cases) {
    const env = { ...servers.env(uniquePrefix()), LOG_LEVEL: 'debug' };
    const { status, stdout, stderr } = await startProducer(args, env).ended;
    assert.equal(status, expected, stderr);
    for (const text of [stdout, stderr]) {
      assert.doesNotMatch(text, /[^\P{C}\n\t]/u, JSON.stringify(text));
      assert.doesNotMatch(text, /^error: forged/m);
    }
  }
});
