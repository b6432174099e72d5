/**
 * docker/compose.yaml and our three images, as somebody runs them who has read the README. Needs a container runtime
 * and docker compose: `npm run containers`.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@genesys-kafka/testing';
import { composeProject, docker, type ComposeProject } from './compose-project.ts';

const RECORDS = 300;
const FILE = '/data/conversations.ndjson';
/** Every job waits in the queue for ever. */
const QUEUED = {
  on: 'status',
  times: 'always',
  do: { kind: 'status', status: 200, contentType: 'application/json', body: '{"state":"QUEUED"}' },
};

let project: ComposeProject;
let simulatorUrl: string;

before(async () => {
  const [kafka, registry, simulator] = await freePorts(3);
  simulatorUrl = `http://127.0.0.1:${simulator}`;
  project = await composeProject({
    KAFKA_PORT: String(kafka),
    REGISTRY_PORT: String(registry),
    SIMULATOR_PORT: String(simulator),
    RECORDS: String(RECORDS),
  });
  await project.compose('up', '--build', '--detach');
});

after(async () => {
  await project[Symbol.asyncDispose]();
});

test('the day is exported once, and each of its records delivered once', async () => {
  assert.equal(await docker('wait', await project.container('producer')), '0');
  await delivered(RECORDS);
  assert.equal(await distinct(), RECORDS);
  const status = await project.compose('run', '--rm', '-T', 'producer', 'status', '--json');
  assert.match(status, /"published"/);
});

test('the other contract too: its archive is spooled in the image', async () => {
  const again = ['run', '--rm', '-T', '-e', 'GENESYS_CONTRACT=bulk-archive', 'producer', 'export', '--json'];
  const report = await project.compose(...again, '--from', '2025-10-01', '--to', '2025-10-02');
  assert.equal((JSON.parse(report) as { records: { published: number } }).records.published, RECORDS);
  await delivered(2 * RECORDS);
  assert.equal(await distinct(), RECORDS);
});

test('the images do not run as root, hold no .npmrc, are healthy, and end at SIGTERM as their programs do', async () => {
  const script = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([QUEUED]) };
  assert.ok((await fetch(`${simulatorUrl}/_simulator/faults`, script)).ok);
  const waiting = `${project.name}-waiting`;
  const interval = ['--from', '2025-10-02', '--to', '2025-10-03'];
  await project.compose('run', '--detach', '--name', waiting, 'producer', 'export', ...interval);
  const containers = {
    simulator: await project.container('simulator'),
    producer: waiting,
    consumer: await project.container('consumer'),
  };
  for (const [service, id] of Object.entries(containers)) {
    assert.equal(await docker('exec', id, 'id', '-u'), '1000', service);
    const settingsOfNpm = ['find', '/app', '-name', '.npmrc', '-not', '-path', '*/node_modules/*'];
    assert.equal(await docker('exec', id, ...settingsOfNpm), '', service);
    await eventually(`${service} is healthy`, async () => (await inspect(id, 'Health.Status')) === 'healthy');
  }
  // The producer before the simulator, whose network it shares.
  for (const [id, status] of [
    [containers.producer, '143'],
    [containers.consumer, '0'],
    [containers.simulator, '0'],
  ] as const) {
    await docker('stop', '--time', '120', id);
    assert.equal(await inspect(id, 'ExitCode'), status, await docker('logs', '--tail', '20', id));
  }
});

async function inspect(id: string, what: string): Promise<string> {
  return docker('inspect', '--format', `{{.State.${what}}}`, id);
}

async function inConsumer(command: string): Promise<string> {
  return project.compose('exec', '-T', 'consumer', 'sh', '-c', command);
}

/** Those that are written to their end; the file comes with the first record. */
async function wholeLines(): Promise<number> {
  return Number(await inConsumer(`[ ! -e ${FILE} ] || wc -l < ${FILE}`));
}

async function delivered(count: number): Promise<void> {
  await eventually(`${count} records are delivered`, async () => (await wholeLines()) >= count);
  assert.equal(await wholeLines(), count);
}

async function distinct(): Promise<number> {
  const lines = (await inConsumer(`cat ${FILE}`)).split('\n');
  return new Set(lines.map((line) => (JSON.parse(line) as { conversationId: string }).conversationId)).size;
}

/** On a busy machine a health check alone takes its time. */
async function eventually(what: string, condition: () => Promise<boolean>, timeoutMs = 300_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    await delay(500);
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
  }
}
