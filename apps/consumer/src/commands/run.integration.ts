import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@genesys-kafka/testing';
import { partitionFor } from '@genesys-kafka/topics';
import { dataPartitions, samples, startBus, type Area, type Bus, type Sample } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { Target, type Delivered } from '../../fixtures/target.ts';
import { until } from '../../fixtures/until.ts';

interface Report {
  readonly routes: Record<string, { delivered: number; retried: number; deadLettered: number; skipped: number }>;
}

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];
const reportOf = (stdout: string) => JSON.parse(stdout) as Report;
const identity = ({ body }: Delivered) => `${body.conversationId}#${body.n}`;
const crmTo = (target: Target, more: object = {}) => ({
  crm: { type: 'http', url: target.url, concurrency: 16, ...more },
});

/** How many records lie in a topic, by route header. */
async function deadLettersByRoute(area: Area): Promise<Record<string, number>> {
  const { stdout } = await runConsumer(area.config({}), ['dead-letters', 'stats']);
  return (JSON.parse(stdout) as { byRoute: Record<string, number> }).byRoute;
}

test('a target that is slow, busy for a while and refuses some for ever: published = delivered + dead letters', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(400, 80));
  // Those that are asked for at once, and some probes.
  let busy = 20;
  target.answer = ({ n, conversationId }) => {
    if (conversationId === 'c-7') return { status: 422 };
    if (conversationId === 'c-8' && n === 1) return { status: 500 };
    if (busy === 0) return { status: 200, afterMs: 5 };
    busy -= 1;
    return n % 2 === 0 ? { status: 429, retryAfter: 1 } : { status: 503, afterMs: 20 };
  };
  const config = area.config({
    routes: [
      { name: 'even', when: 'int(record.n) % 2 == 0', sink: 'crm', priority: 'high' },
      { name: 'everything', sink: 'crm' },
    ],
    sinks: crmTo(target, { breaker: { errors: '80%', over: 10, cooldown: '500ms' } }),
  });
  const { routes } = reportOf((await runConsumer(config, drain)).stdout);
  const published = { even: 240, everything: 400 };
  const letters = await deadLettersByRoute(area);
  for (const [name, count] of Object.entries(published)) {
    assert.equal(routes[name]!.delivered + routes[name]!.deadLettered, count, name);
    assert.equal(letters[name], routes[name]!.deadLettered, name);
  }
  assert.equal(letters.even, 3, 'c-7 has three even records');
  assert.equal(letters.everything, 6, 'c-7 has five records, and c-8 one that never works');
  assert.ok(routes.everything!.retried > 0);
  assert.equal(busy, 0, 'it was busy');
  const { bytes } = target.accepted.find((one) => identity(one) === 'c-3#0')!;
  assert.equal(bytes, '{"conversationId":"c-3","n":0}', 'the bytes as they were published');
});

test('order per key is kept while different keys go at once', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(600, 30));
  // However quick or slow the machine is: the first answers wait until so many are asked for.
  const many = until(() => target.peak > 8, 'more than 8 requests at once');
  target.answer = async ({ n }) => {
    await many.catch(() => undefined);
    return { status: 200, afterMs: (n * 7919) % 23 };
  };
  const config = area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks: crmTo(target) });
  await runConsumer(config, drain);
  await many;
  assert.equal(target.accepted.length, 600);
  for (const [key, deliveries] of Map.groupBy(target.accepted, ({ body }) => body.conversationId)) {
    assert.deepEqual(
      deliveries.map(({ body }) => body.n),
      Array.from({ length: 20 }, (_, n) => n),
      key,
    );
  }
});

test('a file that two routes share: all is there once for each, one record a line, each key in its order', async (t) => {
  await using area = await bus.area();
  const directory = await mkdtemp(join(tmpdir(), 'consumer-file-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'records.ndjson');
  await area.publish(samples(1200, 60));
  const routes = [
    { name: 'all', sink: 'disk' },
    { name: 'late', when: 'record.n >= 10.0', sink: 'disk' },
  ];
  const { stdout } = await runConsumer(area.config({ routes, sinks: { disk: { type: 'file', path } } }), drain);
  const { all, late } = reportOf(stdout).routes;
  assert.deepEqual([all!.delivered, late!.delivered], [1200, 600]);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, 1800);
  const records = lines.map((line) => JSON.parse(line) as Sample);
  for (const [key, ofKey] of Map.groupBy(records, ({ conversationId }) => conversationId)) {
    // Each route has its own order; the first ten of a key are in one of them alone.
    const firsts = ofKey.map(({ n }) => n).filter((n) => n < 10);
    assert.deepEqual(firsts, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], key);
    assert.equal(ofKey.length, 30);
  }
});

test('kill -9 mid-way: after a restart nothing is skipped, and repeats carry the same key and version', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(500, 50));
  const refused = new Set<string>();
  target.answer = ({ conversationId, n }) => {
    if (n !== 3 || refused.has(conversationId)) return { status: 200, afterMs: 10 };
    refused.add(conversationId);
    return { status: 503 };
  };
  // The refusals open the circuit; what is tested needs no long wait.
  const sinks = crmTo(target, { breaker: { cooldown: '500ms' } });
  const config = area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks });
  await using first = await ConsumerProcess.start(config, 'run', ...quick);
  await until(() => target.accepted.length > 150, 'the first deliveries');
  first.signal('SIGKILL');
  await first.ended;
  const before = target.accepted.length;
  assert.ok(before < 500, 'the kill came too late to show anything');
  await runConsumer(config, drain);
  const keys = Map.groupBy(target.seen, identity);
  assert.equal(new Set(target.accepted.map(identity)).size, 500, 'a record was skipped');
  for (const [record, deliveries] of keys) {
    assert.equal(new Set(deliveries.map((one) => `${one.idempotencyKey} ${one.recordVersion}`)).size, 1, record);
  }
  assert.equal(new Set(target.seen.map(({ idempotencyKey }) => idempotencyKey)).size, 500);
  assert.deepEqual(await deadLettersByRoute(area), {});
});

test('a paused consumer whose partitions went to another one wakes up: its group stands where the other one left it', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(1000, 50));
  target.answer = () => ({ status: 200, afterMs: 10 });
  const config = area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks: crmTo(target) });
  // What it has delivered is not committed before it is told that its partitions are gone.
  const unhurried = ['run', '--session-timeout', '6s', '--commit-every', '60s'];
  await using zombie = await ConsumerProcess.start(config, ...unhurried);
  await until(() => target.accepted.length > 150, 'the first deliveries');
  process.kill(zombie.pid, 'SIGSTOP');
  await runConsumer(config, drain);
  const commits = async () => area.client.admin.groupCommits(`${area.prefix}test.all`, area.main);
  const left = await commits();
  process.kill(zombie.pid, 'SIGCONT');
  const late = { conversationId: 'late', n: 0 };
  await area.publish([late], 'late');
  await until(() => target.accepted.some(({ body }) => body.conversationId === 'late'), 'the late record');
  const now = await commits();
  assert.ok(left.size > 0);
  for (const [partition, { offset }] of left) {
    assert.ok(now.get(partition)!.offset >= offset, `partition ${partition} has gone back`);
  }
  zombie.signal('SIGTERM');
  assert.equal((await zombie.ended).status, 0, zombie.stderr);
});

test('SIGTERM: exit 0, what is in flight ends and is committed, so that nothing is delivered twice', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(300, 300));
  const [port] = await freePorts(1);
  const isReady = Promise.withResolvers<undefined>();
  target.answer = async () => {
    await isReady.promise;
    return { status: 200, afterMs: 30 };
  };
  const sinks = crmTo(target, { concurrency: 4, timeout: '3m' });
  const config = area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks });
  const serving = area.config({ ...(JSON.parse(config) as object), http: { port } });
  const unhurried = ['run', '--commit-every', '60s', '--commit-records', '100000'];
  await using first = await ConsumerProcess.start(serving, ...unhurried);
  // The group of what no route takes too: by where it stands the changed rules below are told from those of now.
  const readiness = async () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await until(async () => (await readiness())?.status === 200, 'readiness');
  isReady.resolve(undefined);
  await until(() => target.accepted.length > 60, 'the first deliveries');
  first.signal('SIGTERM');
  const ended = await first.ended;
  assert.equal(ended.status, 0, ended.stderr);
  const stopped = target.accepted.length;
  assert.ok(stopped < 300, 'it stopped before the end');
  assert.equal(reportOf(ended.stdout).routes.all!.delivered, stopped);
  // What lies between the groups belongs to one route by the earlier rules, and to none by these.
  const changed = area.config({ routes: [{ name: 'all', when: 'record.n < 0.0', sink: 'crm' }], sinks });
  assert.match((await runConsumer(changed, drain, 1)).stderr, /rules-changed/);
  await runConsumer(config, drain);
  await runConsumer(changed, drain);
  assert.equal(new Set(target.accepted.map(identity)).size, 300);
  // Keys of one partition finish in any order: at most what was in hand above the lowest unfinished comes again.
  assert.ok(target.accepted.length - 300 <= 3 * 4, `${target.accepted.length - 300} came twice`);
});

test('a dead target holds up its own route alone, and costs its records neither attempts nor dead letters', async () => {
  await using area = await bus.area();
  await using alive = await Target.listen();
  const [port] = await freePorts(1);
  await area.publish(samples(300, 60));
  const breaker = { errors: '50%', over: 5, cooldown: '500ms' };
  const config = area.config({
    routes: [
      { name: 'dead', sink: 'down' },
      { name: 'live', sink: 'up' },
    ],
    sinks: {
      down: { type: 'http', url: `http://127.0.0.1:${port}/in`, breaker, timeout: '2s' },
      up: { type: 'http', url: alive.url },
    },
  });
  await using consumer = await ConsumerProcess.start(config, 'run', ...quick);
  await until(() => new Set(alive.accepted.map(identity)).size === 300, 'the live route');
  await delay(8000);
  assert.doesNotMatch(consumer.stderr, /rejoin|joining it again/, 'waiting costs no membership');
  await using revived = await Target.listen(port);
  await until(() => new Set(revived.accepted.map(identity)).size === 300, 'the revived route');
  consumer.signal('SIGTERM');
  const { status, stdout } = await consumer.ended;
  assert.equal(status, 0);
  const { dead } = reportOf(stdout).routes;
  assert.equal(dead!.deadLettered, 0);
  assert.ok(dead!.retried <= 20, `${dead!.retried} retries: only what failed before the circuit opened`);
});

test('blocking retries: the key waits in its order, other keys go on, no retry topic is used, the offset stays below', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(30, 10));
  let busy = true;
  target.answer = ({ conversationId, n }) => ({ status: busy && conversationId === 'c-4' && n === 0 ? 503 : 200 });
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm', retry: { attempts: 100, blocking: true } }],
    sinks: crmTo(target, { breaker: { errors: '100%', over: 1000 } }),
    retry: { tiers: ['200ms', '400ms'] },
  });
  await using consumer = await ConsumerProcess.start(config, 'run', ...steady);
  await until(() => target.accepted.length === 27 && target.seen.length >= 27 + 4, 'all other keys, and some retries');
  await delay(500);
  const partition = partitionFor('c-4', dataPartitions);
  const offsets = async () => area.client.admin.groupCommits(`${area.prefix}test.all`, area.main);
  assert.ok(!target.accepted.some(({ body }) => body.conversationId === 'c-4'), 'nothing overtakes within the key');
  const waiting = BigInt(target.seen.find(({ status }) => status === 503)!.recordVersion);
  assert.ok(
    ((await offsets()).get(partition)?.offset ?? 0n) <= waiting,
    'the offset stays below the record that waits',
  );
  busy = false;
  await until(() => target.accepted.length === 30, 'the key that waited');
  consumer.signal('SIGTERM');
  const ended = await consumer.ended;
  assert.equal(ended.status, 0, ended.stderr);
  const order = target.accepted.filter(({ body }) => body.conversationId === 'c-4').map(({ body }) => body.n);
  assert.deepEqual(order, [0, 1, 2]);
  assert.deepEqual(reportOf(ended.stdout).routes.all, {
    delivered: 30,
    retried: 0,
    deadLettered: 0,
    skipped: 0,
    dropped: 0,
  });
  for (const tier of [1, 2]) {
    for (const { first: begin, end } of await area.client.admin.offsets(`${area.main}.retry-${tier}`)) {
      assert.equal(end, begin, 'a retry topic was used');
    }
  }
  assert.ok(((await offsets()).get(partition)?.offset ?? 0n) > waiting, 'committed on the way out');
});
