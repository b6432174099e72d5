import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readToEnd } from '@genesys-kafka/kafka';
import { startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick } from '../../fixtures/consumer-process.ts';
import { KEYS, publishRound } from '../../fixtures/rounds.ts';
import { until } from '../../fixtures/until.ts';

/** Without it the machine would have no time for the brokers. */
const BETWEEN_ROUNDS_MS = 50;
const RESTARTS = [
  [0, 'stopBroker'],
  [1, 'killBroker'],
  [2, 'stopBroker'],
  [0, 'killBroker'],
] as const;

let bus: Bus;
before(async () => {
  bus = await startBus({ brokers: 3 });
});
after(async () => bus[Symbol.asyncDispose]());

/** What a read_committed reader finds, as text, key by key in its order. */
async function versions(area: Area, topic: string): Promise<Map<string, string[]>> {
  const found: (readonly [string, string])[] = [];
  for (const { partition } of await area.client.admin.offsets(topic))
    for await (const { records } of readToEnd(area.client, { topic, partition }))
      found.push(...records.map(({ key, value }) => [key!.toString(), value!.toString('latin1')] as const));
  return new Map(
    [...Map.groupBy(found, ([key]) => key)]
      .map(([key, ofKey]) => [key, ofKey.map(([, value]) => value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function roundOf(value: string): number {
  return (JSON.parse(value.slice(5)) as { n: number }).n;
}

test('brokers are stopped and killed, one after the other, in the midst of the transactions of a route to a topic: it goes on while each is away, and each record is there once, each key in its order', async () => {
  await using area = await bus.area();
  const target = `${area.prefix}other`;
  await area.client.admin.createMissing([{ name: target, partitions: 4, config: {} }]);
  const config = area.config({
    routes: [{ name: 'all', sink: 'copy' }],
    sinks: { copy: { type: 'kafka', topic: target, batch: { records: 20, age: '20ms' }, breaker: { cooldown: '1s' } } },
    unrouted: 'drop',
  });
  await using running = await ConsumerProcess.start(config, 'run', ...quick);
  let [isOver, rounds] = [false, 0];
  // All the time, so that there is mostly a transaction to break.
  const published = (async () => {
    for (; !isOver; rounds += 1) {
      await publishRound(area, rounds);
      await delay(BETWEEN_ROUNDS_MS);
    }
  })();
  void running.ended.then(() => (isOver = true));
  /** All that is published by now is copied. */
  const untilCopied = async (when: string) => {
    const last = rounds - 1;
    const isCopied = async () => {
      assert.ok(!isOver || when === 'the end', 'it has ended');
      await delay(500);
      const copied = await versions(area, target).catch(() => new Map<string, string[]>());
      return (
        copied.size === KEYS && [...copied.values()].every((ofKey) => ofKey.some((value) => roundOf(value) >= last))
      );
    };
    await until(isCopied, `round ${last}, ${when}`).catch((cause: unknown) => {
      throw new Error(running.stderr, { cause });
    });
  };
  await until(() => rounds > 2, 'the first rounds');
  await untilCopied('the start');
  for (const [broker, down] of RESTARTS) {
    const before = rounds;
    await bus.stack[down](broker);
    await until(() => rounds > before + 2, 'rounds without the broker');
    // Before the broker is back: what it held back would go on with that.
    await untilCopied(`${down} ${broker}`);
    await bus.stack.startBroker(broker);
  }
  isOver = true;
  await published;
  await untilCopied('the end');
  // By their number: what was sent twice, as its answer was lost, is copied twice too.
  const countOf = async (topic: string) => [...(await versions(area, topic)).values()].flat().length;
  const all = await countOf(area.main);
  await until(async () => (await countOf(target)) >= all, 'all of them');
  running.signal('SIGTERM');
  const { status, stderr } = await running.ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(await versions(area, target), await versions(area, area.main));
});
