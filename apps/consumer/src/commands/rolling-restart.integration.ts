import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { freePorts, startScript } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer } from '../../fixtures/consumer-process.ts';
import { KEYS, publishRound } from '../../fixtures/rounds.ts';
import { Target } from '../../fixtures/target.ts';
import { until } from '../../fixtures/until.ts';

let bus: Bus;
before(async () => {
  bus = await startBus({ brokers: 3 });
});
after(async () => bus[Symbol.asyncDispose]());

async function producerStatus(area: Area): Promise<void> {
  const child = startScript('producer', ['status', '--json'], {
    env: { PATH: process.env.PATH, KAFKA_BROKERS: area.stack.brokers.join(','), KAFKA_TOPIC_PREFIX: area.prefix },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stderr, status] = await Promise.all([text(child.stderr!), exited, text(child.stdout!)]);
  assert.equal(status, 0, stderr);
}

test('every broker is stopped and then killed under `run`: it delivers while each is away, and so do `--drain` and `status` in the midst; nothing is lost, each key in its order; without any of them it is not ready, and says why', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.client.admin.createMissing([topicSpecs({ prefix: area.prefix }).ledger]);
  const [port] = await freePorts(1);
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
  });
  const serving = area.config({ ...(JSON.parse(config) as object), http: { port } });
  await using running = await ConsumerProcess.start(serving, 'run', ...quick);
  let ended = false;
  void running.ended.then(() => (ended = true));
  let n = 0;
  const isDelivered = () => {
    assert.ok(!ended, `it has ended: ${running.stderr}`);
    return new Set(target.accepted.map(({ body }) => `${body.conversationId} ${body.n}`)).size === n * KEYS;
  };
  const untilDelivered = async () =>
    until(isDelivered, `round ${n}`).catch((cause: unknown) => {
      throw new Error(running.stderr, { cause });
    });
  await publishRound(area, n++);
  await untilDelivered();
  for (const broker of [0, 1, 2]) {
    for (const down of ['stopBroker', 'killBroker'] as const) {
      await bus.stack[down](broker);
      const isMidst = broker === 1 && down === 'killBroker';
      const others = isMidst ? [producerStatus(area), runConsumer(config, ['run', '--drain', ...quick])] : [];
      await Promise.all([publishRound(area, n++), ...others]);
      // Before the broker is back: what it held back would go on with that.
      await untilDelivered();
      await bus.stack.startBroker(broker);
    }
  }
  const readiness = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  await until(async () => (await readiness()).startsWith('200'), 'readiness');
  await Promise.all([0, 1, 2].map((broker) => bus.stack.killBroker(broker)));
  const why = /^503 .*no broker has answered the group of route all for \d+ s/;
  await until(async () => why.test(await readiness()), 'the fall of readiness');
  await Promise.all([0, 1, 2].map((broker) => bus.stack.startBroker(broker)));
  await publishRound(area, n++);
  await untilDelivered();
  await until(async () => (await readiness()).startsWith('200'), 'readiness again');
  running.signal('SIGTERM');
  const { status, stderr } = await running.ended;
  assert.equal(status, 0, stderr);
  for (const [key, deliveries] of Map.groupBy(target.accepted, ({ body }) => body.conversationId)) {
    // What was in flight may come again, but nothing for the first time before its predecessors.
    const firsts = [...new Set(deliveries.map(({ body }) => body.n))];
    assert.deepEqual(
      firsts,
      Array.from({ length: n }, (_, round) => round),
      key,
    );
  }
});
