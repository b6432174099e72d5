import assert from 'node:assert/strict';
import { createServer as createIngress } from 'node:http';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readToEnd } from '@genesys-kafka/kafka';
import { freePorts } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import kafkajs from 'kafkajs';
import { dataPartitions, samples, startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { Target } from '../../fixtures/target.ts';
import { until } from '../../fixtures/until.ts';
import type { RunReport } from './run.ts';

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];
const run = ['run', ...steady];

/** What the port does not offer: deleting records and topics. */
async function withAdmin(area: Area, use: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: area.stack.brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Once they are empty: a member that was told to go may be there for a moment yet. */
async function deleteGroups(admin: kafkajs.Admin, groups: string[]): Promise<void> {
  await until(async () => {
    const deleted = await admin.deleteGroups(groups).catch(() => undefined);
    return deleted !== undefined;
  }, 'the end of the groups');
}

test('records that retention deleted before they were read: an alert and exit 1, until the gap is accepted', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
  });
  await area.publish(samples(30, 30), 'a');
  await runConsumer(config, drain);
  await area.publish(samples(30, 30), 'b');
  await withAdmin(area, async (admin) => {
    const partitions = await Promise.all(
      Array.from({ length: dataPartitions }, async (_, partition) => {
        let end = 0n;
        for await (const { nextOffset } of readToEnd(area.client, { topic: area.main, partition })) end = nextOffset;
        return { partition, offset: String(end - 2n) };
      }),
    );
    // kafkajs knows the partitions' leaders only after this.
    await admin.fetchTopicOffsets(area.main);
    await admin.deleteTopicRecords({ topic: area.main, partitions });
  });
  const stopped = await runConsumer(config, drain, 1);
  assert.match(stopped.stderr, /error: records-gone: .* offsets were deleted before they were read.*--accept-gap/);
  assert.equal(target.accepted.length, 30, 'nothing is delivered across the gap');
  await runConsumer(config, [...drain, '--accept-gap']);
  assert.equal(target.accepted.length, 30 + dataPartitions, 'the last record of each partition was left');
});

test('a group whose offsets are gone: it begins at the start where the log has its start, else that is a gap and exit 1', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
  });
  const groups = ['all', 'unrouted'].map((route) => `${area.prefix}test.${route}`);
  await area.publish(samples(30, 30), 'a');
  await runConsumer(config, drain);
  await withAdmin(area, async (admin) => deleteGroups(admin, groups));
  await runConsumer(config, drain);
  assert.equal(target.accepted.length, 60, 'all of it again');
  await withAdmin(area, async (admin) => {
    await deleteGroups(admin, groups);
    await admin.fetchTopicOffsets(area.main);
    await admin.deleteTopicRecords({ topic: area.main, partitions: [{ partition: 0, offset: '3' }] });
  });
  const stopped = await runConsumer(config, drain, 1);
  assert.match(
    stopped.stderr,
    /error: records-gone: .* partition 0: .* has no offset, but the log begins at 3: .*--accept-gap/,
  );
  assert.equal(target.accepted.length, 60, 'nothing is delivered across the gap');
  await runConsumer(config, [...drain, '--accept-gap']);
  assert.equal(target.accepted.length, 60 + 30 - 3);
});

test('a topic deleted and made again under a running consumer ends it, and nothing of the new one is passed over', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
  });
  await area.publish(samples(60, 30), 'old');
  await using running = await ConsumerProcess.start(config, ...run);
  await until(() => arrived(target) === 60, 'the old records');
  await withAdmin(area, async (admin) => admin.deleteTopics({ topics: [area.main] }));
  const { data } = topicSpecs({ prefix: area.prefix, dataPartitions });
  await until(async () => (await area.client.admin.describeTopic(area.main)) === undefined, 'the deletion');
  await area.client.admin.createMissing([data]);
  // More than was read of the old one: its places are places in the new one too.
  await area.publish(samples(300, 30), 'new');
  const { status, stderr } = await running.ended;
  assert.equal(status, 1, stderr);
  assert.match(stderr, /error: (records-gone|topic-missing): /);
  // Kafka forgets a topic's offsets with it, but for a commit that was under way.
  await runConsumer(config, [...drain, '--accept-gap']);
  assert.equal(arrived(target), 360);
});

test('--drain waits for what is committed behind an open transaction', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
  });
  const producer = area.client.transactionalProducer(`${area.prefix}open`);
  const open = await producer.begin();
  for (let partition = 0; partition < dataPartitions; partition += 1) {
    await open.send({ topic: area.main, partition }, [{ key: 'k', value: null }]);
  }
  await area.publish(samples(30, 30));
  await using draining = await ConsumerProcess.start(config, ...drain);
  // Its groups stand before what they cannot see.
  for (const route of ['all', 'unrouted']) {
    const group = `${area.prefix}test.${route}`;
    const commits = async () => area.client.admin.groupCommits(group, area.main);
    await until(async () => (await commits()).size === dataPartitions, `the places of ${route}`);
  }
  await delay(3000);
  assert.equal(target.accepted.length, 0);
  await open.abort();
  const { status, stderr } = await draining.ended;
  assert.equal(status, 0, stderr);
  assert.equal(target.accepted.length, 30);
  await producer.close();
});

test('a dead-letter topic that cannot be written: the offset stays, the trouble is told, and all is kept in the end', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  target.answer = () => ({ status: 422 });
  const [port] = await freePorts(1);
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
    http: { port },
  });
  await using consumer = await ConsumerProcess.start(config, ...run);
  await until(async () => (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 200, 'readiness');
  await withAdmin(area, async (admin) => admin.deleteTopics({ topics: [area.deadLetters] }));
  await until(async () => (await area.client.admin.describeTopic(area.deadLetters)) === undefined, 'the deletion');
  await area.publish(samples(10, 10));
  await until(() => consumer.stderr.includes('a move was not written'), 'the alert');
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.match(await metrics(), /genesys_kafka_consumer_write_failures_total\{topic="[^"]*\.dlt"\} [1-9]/);
  const all = 'genesys_kafka_consumer_in_flight_records{route="all"} 10\n';
  await until(async () => (await metrics()).includes(all), 'all records in hand');
  assert.equal(await committed(area, 'all'), 0n);
  const { deadLetters } = topicSpecs({ prefix: area.prefix, dataPartitions });
  await area.client.admin.createMissing([deadLetters]);
  await area.committedToTheEnd('all');
  consumer.signal('SIGTERM');
  const { status, stdout } = await consumer.ended;
  assert.equal(status, 0);
  assert.equal((JSON.parse(stdout) as RunReport).routes.all!.deadLettered, 10);
});

test('a registry that answers pages of HTML in mid-run: records wait, that is told, readiness falls; none is a dead letter', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  let isOdd = false;
  const ingress = createIngress(({ url }, response) => {
    const schema = '{"schema":"{\\"type\\":\\"object\\"}","schemaType":"JSON"}';
    response.writeHead(isOdd ? 404 : 200, { 'content-type': isOdd ? 'text/html' : 'application/json' });
    response.end(isOdd ? '<html>no such page</html>' : url?.includes('/schemas/ids/') ? schema : '["AVRO","JSON"]');
  });
  await new Promise<void>((resolve) => ingress.listen(0, '127.0.0.1', () => resolve()));
  const [port] = await freePorts(1);
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
    http: { port },
    schema: { registry: `http://127.0.0.1:${(ingress.address() as { port: number }).port}` },
  });
  try {
    await using consumer = await ConsumerProcess.start(config, ...run);
    await until(async () => (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 200, 'readiness');
    isOdd = true;
    await area.publish(samples(10, 10));
    await until(async () => (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 503, 'the fall of readiness');
    await until(() => consumer.stderr.includes('the registry does not tell a schema; records wait'), 'the alert');
    assert.equal(target.seen.length, 0);
    isOdd = false;
    await until(() => arrived(target) === 10, 'the deliveries');
    await until(async () => (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 200, 'readiness again');
    consumer.signal('SIGTERM');
    const { status, stdout } = await consumer.ended;
    assert.equal(status, 0);
    assert.equal((JSON.parse(stdout) as RunReport).routes.all!.deadLettered, 0);
  } finally {
    ingress.closeAllConnections();
    ingress.close();
  }
});

test('a second member takes its part and nothing is lost or skipped; when it leaves, the first goes on', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const keys = 60;
  const lot = (from: number) => samples(5 * keys, keys).map((sample) => ({ ...sample, n: from + sample.n }));
  await area.publish(lot(0), 'alone');
  target.answer = () => ({ status: 200, afterMs: 20 });
  const sinks = { crm: { type: 'http', url: target.url, concurrency: 4 } };
  const config = { routes: [{ name: 'all', sink: 'crm' }], sinks };
  await using first = await ConsumerProcess.start(area.config(config), ...run);
  await until(() => target.accepted.length > 60, 'the first deliveries');
  const [port] = await freePorts(1);
  await using second = await ConsumerProcess.start(area.config({ ...config, http: { port } }), ...run);
  await until(async () => (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 200, 'the second one');
  await area.publish(lot(5), 'both');
  const part = /genesys_kafka_consumer_records_total\{route="all",outcome="delivered"\} [1-9]/;
  await until(async () => part.test(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()), 'its part');
  second.signal('SIGTERM');
  const gone = await second.ended;
  assert.equal(gone.status, 0, gone.stderr);
  await area.publish(lot(10), 'alone-again');
  await until(() => arrived(target) === 15 * keys, 'the end');
  first.signal('SIGTERM');
  assert.equal((await first.ended).status, 0);
  // A key's record may come again after a rebalance, but a new one never before its predecessors.
  for (const [key, deliveries] of Map.groupBy(target.accepted, ({ body }) => body.conversationId)) {
    const firsts = [...new Set(deliveries.map(({ body }) => body.n))];
    assert.deepEqual(
      firsts,
      [...firsts].sort((a, b) => a - b),
      key,
    );
  }
});

test('a route is added while another consumer runs and its groups stand apart: it begins, and nothing is refused', async () => {
  await using area = await bus.area();
  await using slow = await Target.listen();
  await using other = await Target.listen();
  const isOpen = Promise.withResolvers<undefined>();
  slow.answer = async () => {
    await isOpen.promise;
    return { status: 200 };
  };
  const first = { name: 'first', sink: 'slow', when: 'record.n >= 0.0' };
  const added = { name: 'added', sink: 'other', when: 'record.n == 0.0' };
  const sinks = { slow: { type: 'http', url: slow.url, timeout: '5m' }, other: { type: 'http', url: other.url } };
  await area.publish(samples(60, 30));
  await using _running = await ConsumerProcess.start(area.config({ routes: [first], sinks }), ...run);
  await until(async () => {
    const commits = await area.client.admin.groupCommits(`${area.prefix}test.unrouted`, area.main);
    return slow.peak > 0 && [...commits.values()].some(({ offset }) => offset > 0n);
  }, 'a group that is ahead of another');
  await using two = await ConsumerProcess.start(area.config({ routes: [first, added], sinks }), ...run);
  await Promise.race([until(() => other.accepted.length === 30, 'the records of the route that was added'), two.ended]);
  assert.equal(other.accepted.length, 30, two.stderr);
  isOpen.resolve(undefined);
  await until(() => new Set(slow.accepted.map(({ bytes }) => bytes)).size === 60, 'the records of the other route');
});

test('check: says what is there and what to fix; bad usage is exit 2, an unreachable broker exit 1', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const [nobody] = await freePorts(1);
  const sinks = {
    crm: { type: 'http', url: target.url },
    off: { type: 'http', url: `http://127.0.0.1:${nobody}/` },
  };
  const good = await runConsumer(area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks }), ['check']);
  assert.equal((JSON.parse(good.stdout) as { ok: boolean }).ok, true);
  const bad = await runConsumer(area.config({ routes: [{ name: 'all', sink: 'off' }], sinks }), ['check'], 1);
  assert.match(bad.stdout, /"check":"sink off","status":"failed"/);
  // A target that is away may come; what no waiting mends ends a run before it begins.
  const never = { routes: [{ name: 'all', sink: 'disk' }], sinks: { disk: { type: 'file', path: tmpdir() } } };
  assert.match((await runConsumer(area.config(never), drain, 1)).stderr, /error: sink-/);
  await runConsumer(area.config({ routes: [{ name: 'all', sink: 'crm', when: 'record.n +' }], sinks }), ['run'], 2);
  await runConsumer(area.config({ surprise: 1 }), ['run'], 2);
  await runConsumer(area.config({}), ['run', '--stop-grace', 'soon'], 2);
  const kafka = { brokers: [`127.0.0.1:${nobody}`], topicPrefix: area.prefix };
  const nothing = await runConsumer(area.config({ kafka }), ['run'], 2);
  assert.match(nothing.stderr, /routes: is needed by this command and not set/);
  const away = await runConsumer(area.config({ kafka, routes: [{ name: 'all', sink: 'crm' }], sinks }), ['run'], 1);
  assert.match(away.stderr, /error: broker-unreachable/);
});

/** How many records a target has taken; one may have come again. */
function arrived({ accepted }: Target): number {
  return new Set(accepted.map(({ idempotencyKey }) => idempotencyKey)).size;
}

async function statusOf(url: string): Promise<number> {
  return fetch(url).then(
    ({ status }) => status,
    () => 0,
  );
}

async function committed(area: Area, route: string): Promise<bigint> {
  const offsets = await area.client.admin.groupCommits(`${area.prefix}test.${route}`, area.main);
  return offsets.values().reduce((sum, { offset }) => sum + offset, 0n);
}
