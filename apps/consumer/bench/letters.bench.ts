/**
 * 100,000 dead letters (or as many as the first argument says): how long they take to be counted by cause and listed
 * from the topic, from object storage and from both, and whether a replay of them that is killed twice sends each once.
 * Run as `node libs/testing/src/run-with-stack.ts -- node apps/consumer/bench/letters.bench.ts`; it needs Go or a storage.
 */
import assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { LetterStorage } from '@genesys-kafka/dead-letters/letter-storage';
import { readToEnd } from '@genesys-kafka/kafka';
import { dataPartitions, startBus, type Area } from '../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer } from '../fixtures/consumer-process.ts';
import { inProcess } from '../fixtures/in-process.ts';
import { letterFlood, toObjects, toTopic } from '../fixtures/letter-flood.ts';
import { Target } from '../fixtures/target.ts';

const count = Number(process.argv[2] ?? 100_000);
const rate = `${process.argv[3] ?? 5000}/s`;
const bus = await startBus();
const storage = await LetterStorage.start();
try {
  await using area = await bus.area();
  await using target = await Target.listen();
  const bucket = `bench-${process.pid}`;
  await storage.makeBucket(bucket);
  const objects = storage.settings(bucket);
  const more = {
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url, concurrency: 64 } },
    deadLetters: { objects },
  };
  const letters = letterFlood(area, count);
  await timed('written to object storage', async () => toObjects(objects as never, letters, count));
  await timed('written to the topic', async () => toTopic(area, letters));
  console.log(`${(await storage.keys(bucket)).length} objects (of one listing)`);
  for (const store of [['--store', 'topic'], ['--store', 'objects'], []]) {
    for (const args of [
      ['stats', '--cause', 'http-422'],
      ['list', '--cause', 'http-422', '--limit', '100000'],
    ]) {
      const what = ['dead-letters', ...args, ...store];
      await timed(what.join(' '), async () => inProcess(area.config(more), what));
    }
  }
  for (const share of [0.1, 0.5]) {
    await using replay = await ConsumerProcess.start(area.config(more), 'dead-letters', 'replay', '--rate', rate);
    while ((await replayed(area)).length < share * count) await delay(500);
    replay.signal('SIGKILL');
    await replay.ended;
    console.log(`killed with ${(await replayed(area)).length} replayed`);
  }
  await timed('the rest replayed', async () =>
    console.log((await runConsumer(area.config(more), ['dead-letters', 'replay', '--rate', rate])).stdout.trim()),
  );
  const ids = await replayed(area);
  assert.deepEqual([ids.length, new Set(ids).size], [count, count], 'each once');
  await timed('delivered', async () => runConsumer(area.config(more), ['run', '--drain', ...quick]));
  assert.equal(target.accepted.length, count);
  assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, count);
  console.log(`${count} delivered, each once`);
} finally {
  await storage[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  const [seconds, cpu] = [(performance.now() - startedMs) / 1000, (user + system) / 1e6];
  console.log(
    `${what}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of this process' CPU time, load ${loadavg()[0]!.toFixed(0)}`,
  );
}

/** What lies on the topic of replays, committed. */
async function replayed(area: Area): Promise<string[]> {
  const ids: string[] = [];
  for (let partition = 0; partition < dataPartitions; partition += 1) {
    for await (const { records } of readToEnd(area.client, { topic: `${area.main}.replay`, partition }))
      ids.push(...records.map(({ headers }) => String(headers['replay-of'])));
  }
  return ids;
}
