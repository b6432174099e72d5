import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { client, commitOne, createTopic, untilCommitted, withAdmin } from '../../fixtures/kafka-clients.ts';
import { eventually, processesNaming } from '../../fixtures/own-processes.ts';
import { firstMessage, holdStack, ownTmp, runWithStack, start } from '../../fixtures/stack-processes.ts';
import { startStack, uniquePrefix, type Stack } from '../index.ts';
import { containerRuntime, STACK_LABEL } from './container.ts';
import { stackImages } from './images.ts';

for (const name of ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL']) Reflect.deleteProperty(process.env, name);

const absence = await reasonForAbsence();

test('where no container can be had the ladder says so and goes on to plain processes', async (context) => {
  if (absence !== undefined) context.diagnostic(`the other tests of this file need containers: ${absence}`);
  const before = { ...process.env };
  context.after(() => {
    Reflect.deleteProperty(process.env, 'GENESYS_KAFKA_KAFKA_IMAGE');
    Object.assign(process.env, before);
  });
  Reflect.deleteProperty(process.env, 'GENESYS_KAFKA_STACK');
  process.env.TMPDIR = ownTmp();
  // With a runtime or without: nothing serves images at port 1.
  process.env.GENESYS_KAFKA_KAFKA_IMAGE = 'localhost:1/absent:8.1.0';
  const lines: string[] = [];
  await using stack = await startStack({ registry: false, onProgress: (line) => lines.push(line) });
  assert.equal(stack.provider, 'process');
  assert.match(lines.join('\n'), /^not by container: (No container runtime answers|The containers did not start)/m);
});

// Registered only where they can run: pulling gigabytes is not a test's business.
if (absence === undefined) {
  test('a broker in a container takes transactions, the registry answers, and close leaves nothing', async () => {
    process.env.TMPDIR = ownTmp();
    process.env.GENESYS_KAFKA_STACK = 'container';
    const stack = await startStack();
    assert.equal(stack.provider, 'container');
    const topic = uniquePrefix();
    const kafka = client(stack);
    await withAdmin(kafka, async (admin) => createTopic(admin, { topic, numPartitions: 2 }));
    await commitOne(kafka, topic, 1);
    await withAdmin(kafka, async (admin) => {
      await assert.rejects(admin.fetchTopicMetadata({ topics: [`${topic}absent`] }));
      await untilCommitted(admin, topic, 1);
    });
    assert.deepEqual(await (await fetch(`${stack.registryUrl}/subjects`)).json(), []);
    assert.equal((await belongings(process.env.TMPDIR)).length, 3, 'two containers and their network');
    await stack.close();
    assert.deepEqual(await belongings(process.env.TMPDIR), []);
    assert.deepEqual(readdirSync(process.env.TMPDIR), []);
  });

  test('SIGTERM ends the command, then the containers', async () => {
    const tmp = ownTmp();
    const script = 'console.log("{}"); setInterval(() => {}, 1000)';
    const child = start('container', runWithStack, ['--', process.execPath, '-e', script], tmp);
    const exited = once(child, 'exit');
    await firstMessage(child);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [143, null]);
    assert.deepEqual(await belongings(tmp), []);
  });

  test('kill -9 of the process that asked for a stack ends its containers', async () => {
    const tmp = ownTmp();
    const child = start('container', holdStack, [], tmp);
    await firstMessage<Stack>(child);
    assert.equal((await belongings(tmp)).length, 3);
    child.kill('SIGKILL');
    await nothingLeft(tmp);
  });

  test('kill -9 while the containers are still starting leaves nothing either', async () => {
    const tmp = ownTmp();
    const child = start('container', holdStack, [], tmp);
    await eventually('the containers are there', async () => (await belongings(tmp)).length === 3);
    child.kill('SIGKILL');
    await nothingLeft(tmp);
  });

  test('kill -9 of the host itself ends the containers too: its parent sees to that', async () => {
    const tmp = ownTmp();
    const child = start('container', holdStack, [], tmp);
    await firstMessage<Stack>(child);
    const host = processesNaming('stack-host').find(({ command }) => command.includes(tmp));
    process.kill(host!.pid, 'SIGKILL');
    await nothingLeft(tmp);
  });
}

/** Why containers cannot be tried here; undefined where a runtime answers and has the images. */
async function reasonForAbsence(): Promise<string | undefined> {
  try {
    const { dockerode } = (await containerRuntime()).container;
    for (const image of Object.values(stackImages())) await dockerode.getImage(image).inspect();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Names of the containers and networks of the stacks whose directories lie in `tmp`. */
async function belongings(tmp: string): Promise<string[]> {
  const { dockerode } = (await containerRuntime()).container;
  const containers = await dockerode.listContainers({ all: true, filters: { label: [STACK_LABEL] } });
  const networks = await dockerode.listNetworks({ filters: { label: [STACK_LABEL] } });
  return [
    ...containers.map(({ Id, Labels }) => [Id, Labels] as const),
    ...networks.map((n) => [n.Id, n.Labels] as const),
  ]
    .filter(([, labels]) => labels?.[STACK_LABEL]?.startsWith(tmp))
    .map(([id]) => id);
}

async function nothingLeft(tmp: string): Promise<void> {
  await eventually(
    'no container, network, process or file is left',
    async () =>
      (await belongings(tmp)).length === 0 && processesNaming(tmp).length === 0 && readdirSync(tmp).length === 0,
  );
}
