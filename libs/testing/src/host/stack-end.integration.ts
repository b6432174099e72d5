import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, processesNaming } from '../../fixtures/own-processes.ts';
import { firstMessage, holdStack, ownTmp, runWithStack, start } from '../../fixtures/stack-processes.ts';
import { startStack, type Stack } from '../index.ts';

async function nothingLeft(tmp: string, registryUrl?: string): Promise<void> {
  const port = registryUrl === undefined ? 'none' : new URL(registryUrl).port;
  await eventually(
    'no process and no file is left',
    () =>
      processesNaming(tmp).length === 0 &&
      processesNaming(`quarkus.http.port=${port}`).length === 0 &&
      readdirSync(tmp).length === 0,
  );
}

test('kill -9 of the process that asked for a stack ends its servers and removes their data', async () => {
  const tmp = ownTmp();
  const child = start('process', holdStack, [], tmp);
  const { registryUrl } = await firstMessage<Stack>(child);
  assert.equal(processesNaming(tmp).length, 2);
  child.kill('SIGKILL');
  await nothingLeft(tmp, registryUrl);
});

test('kill -9 while the servers are still starting leaves nothing either', async () => {
  const tmp = ownTmp();
  const child = start('process', holdStack, ['{"brokers":3}'], tmp);
  await eventually('three brokers are starting', () => processesNaming('kafka.Kafka').filter(isIn(tmp)).length === 3);
  child.kill('SIGKILL');
  await nothingLeft(tmp);
});

test('kill -9 of the host itself ends the servers too: its parent sees to that', async () => {
  const tmp = ownTmp();
  const child = start('process', holdStack, [], tmp);
  const { registryUrl } = await firstMessage<Stack>(child);
  const host = processesNaming('stack-host').find(isIn(tmp));
  process.kill(host!.pid, 'SIGKILL');
  await nothingLeft(tmp, registryUrl);
});

test('an aborted start rejects with the reason of the abort and leaves nothing', async () => {
  const tmp = ownTmp();
  process.env.TMPDIR = tmp;
  process.env.GENESYS_KAFKA_STACK = 'process';
  const aborting = new AbortController();
  const starting = startStack({ signal: aborting.signal });
  await eventually('a server or its preparation runs', () => processesNaming('java').some(isIn(tmp)));
  aborting.abort(new Error('enough'));
  await assert.rejects(starting, /enough/);
  assert.deepEqual(processesNaming(tmp), []);
  assert.deepEqual(readdirSync(tmp), []);
});

test('run-with-stack hands over addresses and the exit status', async () => {
  const tmp = ownTmp();
  const script =
    'console.log(JSON.stringify([process.env.KAFKA_BROKERS, process.env.SCHEMA_REGISTRY_URL])); process.exit(7)';
  const child = start('process', runWithStack, ['--', process.execPath, '-e', script], tmp);
  const exited = once(child, 'exit');
  const [brokers, registryUrl] = await firstMessage<[string, string]>(child);
  assert.match(brokers, /^127\.0\.0\.1:\d+$/);
  assert.match(registryUrl, /^http:\/\/127\.0\.0\.1:\d+\/apis\/ccompat\/v7$/);
  assert.deepEqual(await exited, [7, null]);
  await nothingLeft(tmp, registryUrl);
});

test('run-with-stack hands a signal on, ends as the command did, and leaves nothing', async () => {
  const tmp = ownTmp();
  const script = 'console.log("{}"); setInterval(() => {}, 1000)';
  const child = start('process', runWithStack, ['--', process.execPath, '-e', script], tmp);
  const exited = once(child, 'exit');
  await firstMessage(child);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [143, null]);
  await nothingLeft(tmp);
});

function isIn(tmp: string): (process: { readonly command: string }) => boolean {
  return ({ command }) => command.includes(tmp);
}
