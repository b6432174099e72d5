import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connectLetterPlace,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  type ReplayReport,
} from '@genesys-kafka/dead-letters';
import { freePorts } from '@genesys-kafka/testing';
import { frame, topicSpecs } from '@genesys-kafka/topics';
import { samples } from '../../../fixtures/bus.ts';
import { ConsumerProcess, runConsumer, steady } from '../../../fixtures/consumer-process.ts';
import { letterFlood, toObjects } from '../../../fixtures/letter-flood.ts';
import { drain, json, useLetterStores } from '../../../fixtures/letter-stores.ts';
import { Target } from '../../../fixtures/target.ts';
import { until } from '../../../fixtures/until.ts';
import type { Explanation } from '../explain/explain.ts';
import type { RunReport } from '../run.ts';

const stores = useLetterStores();
const { skip, freshBucket } = stores;

test('a dead letter is a line in object storage and a record on the topic, and is met once', { skip }, async () => {
  await using area = await stores.bus.area();
  await using target = await Target.listen();
  target.answer = () => ({ status: 422 });
  const bucket = await freshBucket();
  const begunMs = Date.now();
  await area.publish(samples(3, 3));
  const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  await area.append(0, { key: 'odd', value: frame(area.schemaId, broken), headers: { 'x-odd': 'é' } });
  const more = {
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
    deadLetters: { objects: stores.storage.settings(bucket) },
  };
  const { routes } = await json<RunReport>(area, more, ...drain);
  assert.equal(routes.crm!.deadLettered, 3);
  const folders = new Set((await stores.storage.keys(bucket)).map((key) => key.replace(/[^/]+$/, '')));
  const lines = await stores.storage.lines(bucket);
  // Each by the day of its own: a midnight may lie between two.
  const expected = lines.map(({ timestamp, route, cause }) => {
    const day = String(timestamp).slice(0, 10).replaceAll('-', '/');
    return `dl/${day}/${String(route)}/${String(cause)}/`;
  });
  assert.deepEqual([...folders].sort(), [...new Set(expected)].sort());
  const first = lines.find(({ key }) => key === 'c-0')!;
  const { id, timestamp, reason, headers, origin, ...rest } = first;
  assert.deepEqual(rest, {
    v: 1,
    key: 'c-0',
    stage: 'deliver',
    cause: 'http-422',
    httpStatus: 422,
    route: 'crm',
    attempts: 1,
    framing: 'confluent',
    schemaId: area.schemaId,
    record: '{"conversationId":"c-0","n":0}',
  });
  assert.ok(Date.parse(String(timestamp)) >= begunMs && Date.parse(String(timestamp)) <= Date.now());
  assert.match(String(reason), /422/);
  assert.equal((headers as Record<string, string>)['source-id'], 'job-1');
  const { topic, partition, offset } = origin as Record<string, string | number>;
  assert.equal(id, `${topic}/${partition}/${offset}/crm/1`);
  const odd = lines.find(({ key }) => key === 'odd')!;
  assert.deepEqual([odd.record, odd.recordBase64], [null, broken.toString('base64')]);

  const both = await json<DeadLetterStats>(area, more, 'dead-letters', 'stats');
  assert.deepEqual([both.letters, both.byCause], [4, { 'http-422': 3, 'json-invalid': 1 }]);
  // The topic is another one here: what is listed comes from object storage.
  const alone = { ...more, kafka: { brokers: area.stack.brokers, topicPrefix: `${area.prefix}none.` } };
  const stored = await json<DeadLetterStats>(area, alone, 'dead-letters', 'stats');
  assert.deepEqual(stored, both);
  const shown = await json<DeadLetterDetails>(area, alone, 'dead-letters', 'show', odd.id);
  assert.deepEqual(
    [shown.value, shown.headers['x-odd']],
    [{ base64: frame(area.schemaId, broken).toString('base64') }, 'é'],
  );
});

test(
  'with the store alone: no topic is made; a replay goes to the route that failed, and again to nobody',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    // As many at once as there are keys: refused one by one on a busy machine, each would be an object of its own.
    const keys = 20;
    let [asked, all] = [0, Promise.withResolvers<undefined>()];
    target.answer = async () => {
      const { promise, resolve } = all;
      asked += 1;
      if (asked % keys === 0) {
        all = Promise.withResolvers();
        resolve(undefined);
      }
      await promise;
      return { status: 422 };
    };
    const bucket = await freshBucket();
    const prefix = `${area.prefix}alone.`;
    const main = `${prefix}conversation-details`;
    await area.client.admin.createMissing([topicSpecs({ prefix, dataPartitions: 3 }).data]);
    const producer = area.client.producer();
    const records = samples(2 * keys, keys).map((sample, index) => area.outgoing(sample, 'job-1', index));
    await producer.send({ topic: main, partition: 1 }, records);
    await producer.close();
    const more = {
      kafka: { brokers: area.stack.brokers, topicPrefix: prefix, partitions: 3 },
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url, concurrency: keys, timeout: '10m' } },
      deadLetters: { topic: false, objects: stores.storage.settings(bucket) },
    };
    const { routes } = await json<RunReport>(area, more, ...drain);
    assert.equal(routes.crm!.deadLettered, 40);
    assert.equal(await area.client.admin.describeTopic(`${main}.dlt`), undefined);
    assert.ok((await stores.storage.keys(bucket)).length <= 10, 'gathered in few objects');
    const { letters } = await json<DeadLetterList>(area, more, 'dead-letters', 'list');
    assert.equal(new Set(letters.map(({ id }) => id)).size, 40);

    target.answer = () => ({ status: 200 });
    const first = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', '1000/s');
    const second = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
    assert.deepEqual([first.replayed, second.replayed, second.alreadyReplayed], [40, 0, 40]);
    const seen = target.seen.length;
    await json<RunReport>(area, more, ...drain);
    assert.equal(target.seen.length - seen, 40);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 40, 'each once');
  },
);

test(
  'while the store is away no offset moves, readiness says why, and afterwards nothing is lost',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    target.answer = () => ({ status: 422 });
    const bucket = await freshBucket();
    const [port] = await freePorts(1);
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url } },
      http: { port },
      deadLetters: { topic: false, objects: stores.storage.settings(bucket) },
    };
    await using consumer = await ConsumerProcess.start(area.config(more), 'run', ...steady);
    await until(async () => (await healthOf(port!)).status === 200, 'readiness');
    stores.storage.proxy.refuse(true);
    stores.storage.proxy.resetAll();
    await area.publish(samples(300, 30));
    await until(async () => (await healthOf(port!)).text.includes('cannot be written to s3'), 'the alert');
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(metrics, /consumer_dead_letter_store_failures_total [1-9]/);
    const commits = await area.client.admin.groupCommits(`${area.prefix}test.crm`, area.main);
    assert.ok(
      [...commits.values()].every(({ offset }) => offset === 0n),
      'an offset has moved',
    );
    stores.storage.proxy.refuse(false);
    await until(async () => (await stores.storage.lines(bucket)).length >= 300, 'the dead letters');
    await until(async () => (await healthOf(port!)).status === 200, 'readiness again');
    consumer.signal('SIGTERM');
    assert.equal((await consumer.ended).status, 0);
    assert.equal(new Set((await stores.storage.lines(bucket)).map(({ id }) => id)).size, 300);
  },
);

test(
  'explain ends where it has to, also where object storage does not: what was not looked at is said',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    const objects = stores.storage.settings(await freshBucket());
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: 'http://127.0.0.1:1/' } },
      deadLetters: { objects },
    };
    await area.publish(samples(5, 5));
    const explained = async (...args: readonly string[]) => json<Explanation>(area, more, 'explain', 'c-1', ...args);
    stores.storage.proxy.halfOpen();
    try {
      const { notes } = await explained('--within', '2s');
      assert.ok(notes.includes('Not all dead letters were looked at: give it more time with --within.'), notes.join());
    } finally {
      stores.storage.proxy.heal();
    }
    assert.deepEqual((await explained()).notes.length, 1);
    stores.storage.proxy.refuse(true);
    try {
      const { notes } = await explained();
      assert.match(notes.join('\n'), /^Not all dead letters were looked at: s3-unreachable: /m);
    } finally {
      stores.storage.proxy.refuse(false);
    }
    const nowhere = { ...more, kafka: { brokers: area.stack.brokers, topicPrefix: `${area.prefix}none.` } };
    const { notes } = await json<Explanation>(area, nowhere, 'explain', 'c-1');
    assert.ok(notes.includes('The main topic does not exist.'), notes.join());
  },
);

test('an object that is damaged is named by whatever looks at it; all else is met', { skip }, async () => {
  await using area = await stores.bus.area();
  const bucket = await freshBucket();
  const objects = stores.storage.settings(bucket);
  const more = {
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: 'http://127.0.0.1:1/' } },
    deadLetters: { objects },
  };
  await toObjects(objects as never, letterFlood(area, 9));
  const [first] = (await stores.storage.keys(bucket)).filter((key) => key.startsWith('dl/2026/'));
  await using place = await connectLetterPlace(objects as never, { bypass: [] });
  const never = new AbortController().signal;
  const whole = await place.store.get({ bucket, key: first! }, never);
  await place.store.put({ bucket, key: first! }, whole!.subarray(0, whole!.length - 4), never);
  for (const command of [['list'], ['stats'], ['replay', '--dry-run'], ['purge']]) {
    const { stderr } = await runConsumer(area.config(more), ['dead-letters', ...command]);
    const told = stderr.split('\n').find((line) => line.includes('cannot be unpacked'));
    const { objects: count, example } = JSON.parse(told!) as { objects: number; example: string };
    assert.deepEqual([count, example], [1, `s3://${bucket}/${first!}`], command[0]);
  }
});

async function healthOf(port: number): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' };
  }
}
