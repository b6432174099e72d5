import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from '@genesys-kafka/delivery';
import { deliverAll } from '../fixtures/deliver-all.ts';
import { createCommandSink } from '../fixtures/command/command-sink.ts';
import { COMMAND_SINK } from '../fixtures/command/settings.ts';

const never = new AbortController().signal;
const records = (...bodies: string[]) => bodies.map((body) => ({ body: Buffer.from(body) }) as Delivery);

/** A sink as its settings make it, whose program is this script. */
async function sinkOf(t: TestContext, script: string) {
  const directory = await mkdtemp(join(tmpdir(), 'command-sink-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'out');
  const settings = { type: 'command', program: '/bin/sh', args: ['-c', script, 'sh', file] };
  return {
    sink: createCommandSink({ name: 'own', ...COMMAND_SINK.parse(settings) }),
    read: async () => readFile(file, 'utf8'),
  };
}

test('a program that takes them is given all records of a batch, one a line', async (t) => {
  const { sink, read } = await sinkOf(t, 'cat >> "$1"');
  await sink.check(never);
  assert.deepEqual(sink.batch, { records: 100, bytes: 1024 * 1024, ageMs: 1000 });
  const outcomes = await sink.deliver(records('{"n":1}', '{\n"n":2}'), never);
  assert.deepEqual(outcomes, [{ kind: 'delivered' }, { kind: 'delivered' }]);
  assert.equal(await read(), '{"n":1}\n{ "n":2}\n');
});

test('a bad record is rejected alone; a failure is for all of them, and may pass; no program is nobody’s fault', async (t) => {
  const choosy = await sinkOf(t, 'read_all=$(cat); case $read_all in *bad*) exit 65;; esac');
  const kinds = async ({ sink }: typeof choosy, ...bodies: string[]) =>
    (await deliverAll(sink, records(...bodies))).map(({ kind }) => kind);
  assert.deepEqual(await kinds(choosy, '{"n":1}', '{"bad":2}', '{"n":3}'), ['delivered', 'rejected', 'delivered']);
  assert.deepEqual(await kinds(await sinkOf(t, 'exit 1'), '{}', '{}'), ['retry', 'retry']);
  assert.deepEqual(await kinds(await sinkOf(t, 'kill -9 $$'), '{}'), ['retry']);
  const program = join(import.meta.dirname, 'no-such-program');
  const missing = createCommandSink({ name: 'own', program, args: [], batch: choosy.sink.batch });
  assert.deepEqual(
    (await missing.deliver(records('{}'), never)).map(({ kind }) => kind),
    ['misconfigured'],
  );
  await assert.rejects(missing.check(never), /cannot be started \(ENOENT\)/);
});

test('an abort ends the program, and rejects with its reason', async (t) => {
  const { sink, read } = await sinkOf(t, 'echo $$ > "$1"; exec sleep 60');
  const abort = new AbortController();
  const delivering = sink.deliver(records('{}'), abort.signal);
  const pid = async () => Number(await read().catch(() => '0'));
  while ((await pid()) === 0) await delay(20);
  abort.abort(new Error('stop'));
  await assert.rejects(delivering, /stop/);
  const lives = async () =>
    readFile(`/proc/${await pid()}/stat`, 'utf8').then(
      (stat) => !stat.includes(') Z'),
      () => false,
    );
  if (process.platform === 'linux') while (await lives()) await delay(20);
});
