import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type {
  DeadLetterDetails,
  DeadLetterList,
  DeadLetterStats,
  PurgeReport,
  ReplayReport,
} from '@genesys-kafka/dead-letters';
import { freePorts, missingStorage } from '@genesys-kafka/testing';
import { frame, topicSpecs } from '@genesys-kafka/topics';
import { Kafka, logLevel } from 'kafkajs';
import { samples, startBus, type Area, type Bus } from '../../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer } from '../../../fixtures/consumer-process.ts';
import { LetterStorage } from '@genesys-kafka/dead-letters/letter-storage';
import { Target } from '../../../fixtures/target.ts';
import { until } from '../../../fixtures/until.ts';
import type { RunReport } from '../run.ts';

const skip = missingStorage();
let bus: Bus;
let storage: LetterStorage;
before(async () => {
  if (skip !== undefined) return;
  [bus, storage] = await Promise.all([startBus(), LetterStorage.start()]);
});
after(async () => {
  if (skip !== undefined) return;
  await storage[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
});

const drain = ['run', '--drain', ...quick];
let buckets = 0;

async function freshBucket(): Promise<string> {
  const name = `letters-${process.pid}-${(buckets += 1)}`;
  await storage.makeBucket(name);
  return name;
}

async function json<T>(area: Area, more: object, ...args: readonly string[]): Promise<T> {
  return JSON.parse((await runConsumer(area.config(more), args)).stdout) as T;
}

test('a dead letter is a line in object storage and a record on the topic, and is met once', { skip }, async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  target.answer = () => ({ status: 422 });
  const bucket = await freshBucket();
  await area.publish(samples(3, 3));
  const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  await area.append(0, { key: 'odd', value: frame(area.schemaId, broken), headers: { 'x-odd': 'é' } });
  const more = {
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
    deadLetters: { objects: storage.settings(bucket) },
  };
  const { routes } = await json<RunReport>(area, more, ...drain);
  assert.equal(routes.crm!.deadLettered, 3);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const folders = new Set((await storage.keys(bucket)).map((key) => key.replace(/[^/]+$/, '')));
  assert.deepEqual([...folders].sort(), [`dl/${day}/crm/http-422/`, `dl/${day}/unrouted/json-invalid/`]);
  const lines = await storage.lines(bucket);
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
  assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 120_000);
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
    await using area = await bus.area();
    await using target = await Target.listen();
    target.answer = () => ({ status: 422 });
    const bucket = await freshBucket();
    const prefix = `${area.prefix}alone.`;
    const main = `${prefix}conversation-details`;
    await area.client.admin.createMissing([topicSpecs({ prefix, dataPartitions: 3 }).data]);
    const producer = area.client.producer();
    const records = samples(40, 20).map((sample, index) => area.outgoing(sample, 'job-1', index));
    await producer.send({ topic: main, partition: 1 }, records);
    await producer.close();
    const more = {
      kafka: { brokers: area.stack.brokers, topicPrefix: prefix, partitions: 3 },
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url } },
      deadLetters: { topic: false, objects: storage.settings(bucket) },
    };
    const { routes } = await json<RunReport>(area, more, ...drain);
    assert.equal(routes.crm!.deadLettered, 40);
    assert.equal(await area.client.admin.describeTopic(`${main}.dlt`), undefined);
    assert.ok((await storage.keys(bucket)).length <= 10, 'gathered in few objects');
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
    await using area = await bus.area();
    await using target = await Target.listen();
    target.answer = () => ({ status: 422 });
    const bucket = await freshBucket();
    const [port] = await freePorts(1);
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url } },
      http: { port },
      deadLetters: { topic: false, objects: storage.settings(bucket) },
    };
    await using consumer = await ConsumerProcess.start(area.config(more), 'run', ...quick);
    await until(async () => (await healthOf(port!)).status === 200, 'readiness');
    storage.proxy.refuse(true);
    storage.proxy.resetAll();
    await area.publish(samples(300, 30));
    await until(async () => (await healthOf(port!)).text.includes('cannot be written to s3'), 'the alert');
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(metrics, /consumer_dead_letter_store_failures_total [1-9]/);
    const commits = await area.client.admin.groupCommits(`${area.prefix}test.crm`, area.main);
    assert.ok(
      [...commits.values()].every(({ offset }) => offset === 0n),
      'an offset has moved',
    );
    storage.proxy.refuse(false);
    await until(async () => (await storage.lines(bucket)).length >= 300, 'the dead letters');
    await until(async () => (await healthOf(port!)).status === 200, 'readiness again');
    consumer.signal('SIGTERM');
    assert.equal((await consumer.ended).status, 0);
    assert.equal(new Set((await storage.lines(bucket)).map(({ id }) => id)).size, 300);
  },
);

async function healthOf(port: number): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' };
  }
}

/** An area whose records `c-0` … were refused by one route, and are kept in both stores. */
async function refused(area: Area, target: Target, count: number): Promise<object> {
  target.answer = () => ({ status: 422 });
  const config = {
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url } },
    deadLetters: { objects: storage.settings(await freshBucket()) },
  };
  await area.publish(samples(count, count));
  assert.equal((await json<RunReport>(area, config, ...drain)).routes.crm!.deadLettered, count);
  target.answer = () => ({ status: 200 });
  return config;
}

test(
  'filters choose; a name that is nowhere and an expression that is none are faults of usage, with what there is',
  { skip },
  async () => {
    await using area = await bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 12);
    const count = async (...flags: readonly string[]) =>
      (await json<DeadLetterStats>(area, more, 'dead-letters', 'stats', ...flags)).letters;
    assert.equal(await count('--key', 'c-3'), 1);
    assert.equal(await count('--where', 'record.conversationId == "c-3" || headers["ordinal"] == "4"'), 2);
    assert.equal(await count('--since', '1h', '--route', 'crm', '--cause', 'http-422', '--stage', 'deliver'), 12);
    assert.equal(await count('--until', '1h'), 0);
    assert.equal(await count('--state', 'replayed'), 0);
    assert.equal(await count('--cause', 'http-500'), 0, 'it may come at any time');
    for (const store of ['topic', 'objects']) assert.equal(await count('--store', store), 12);
    for (const [flags, says] of [
      [
        ['--route', 'cmr'],
        /filter-name-unknown: No dead letter is of route "cmr"\. There are: crm, producer, unrouted\./,
      ],
      [['--cause', 'http422'], /No dead letter is of cause "http422"\. There are: http-422\./],
      [['--stage', 'delivery'], /Allowed choices are .*deliver/],
      [['--where', 'record.n =='], /expression-invalid: --where is not usable/],
      [['--where', 'recrod.n == 1.0'], /expression-invalid: --where is not usable/],
      [['--since', 'yesterday'], /Write a day such as/],
    ] as const) {
      const { stderr } = await runConsumer(area.config(more), ['dead-letters', 'stats', ...flags], 2);
      assert.match(stderr, says);
    }
  },
);

test(
  'purge says what it would do, then deletes from object storage and hides on the topic; who did it is kept',
  { skip },
  async () => {
    await using area = await bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 10);
    const { bucket } = (more as { deadLetters: { objects: { bucket: string } } }).deadLetters.objects;
    const three = ['--where', 'record.conversationId in ["c-1", "c-2", "c-3"]'];
    const dry = await json<PurgeReport>(area, more, 'dead-letters', 'purge', ...three);
    assert.deepEqual(dry, { purged: 3, marked: 3, deleted: 3, unreadable: 0, dryRun: true });
    assert.equal((await storage.lines(bucket)).length, 10);
    const done = await json<PurgeReport>(area, more, 'dead-letters', 'purge', ...three, '--yes');
    assert.deepEqual(done, { ...dry, dryRun: false });
    assert.deepEqual((await storage.lines(bucket)).map(({ key }) => key).sort(), [
      'c-0',
      'c-4',
      'c-5',
      'c-6',
      'c-7',
      'c-8',
      'c-9',
    ]);
    const stats = await json<DeadLetterStats>(area, more, 'dead-letters', 'stats');
    assert.equal(stats.letters, 7);
    const [action] = stats.actions;
    assert.deepEqual(
      [action?.action, action?.state, action?.counts],
      ['purge', 'ended', { purged: 3, marked: 3, deleted: 3 }],
    );
    assert.match(action!.by, /.@./);
    assert.deepEqual(action!.filter, { where: three[1] });
    for (const store of ['topic', 'objects']) {
      assert.equal((await json<DeadLetterStats>(area, more, 'dead-letters', 'stats', '--store', store)).letters, 7);
    }
    const all = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--dry-run');
    assert.equal(all.replayed, 7, 'what was purged is not replayed');
  },
);

test('export writes the lines of the contract, whichever store they come from', { skip }, async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 4);
  const { bucket } = (more as { deadLetters: { objects: { bucket: string } } }).deadLetters.objects;
  const exported = async (...flags: readonly string[]) => {
    await using consumer = await ConsumerProcess.start(area.config(more), 'dead-letters', 'export', ...flags);
    return await consumer.ended;
  };
  assert.match((await exported()).stderr, /export-two-documents/);
  const file = join(await mkdtemp(join(tmpdir(), 'letters-')), 'letters.ndjson');
  for (const store of ['topic', 'objects']) {
    const { stdout, stderr } = await exported('--store', store, '--to', file);
    assert.equal((JSON.parse(stdout) as { exported: number }).exported, 4, stderr);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const byId = (all: readonly { readonly id: string }[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(lines.map((line) => JSON.parse(line) as { id: string })), byId(await storage.lines(bucket)));
  }
});

test('a record that comes back after each replay is left after the third, and said so', { skip }, async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 2);
  target.answer = ({ conversationId }) => ({ status: conversationId === 'c-0' ? 422 : 200 });
  for (const replayed of [2, 1, 1]) {
    assert.equal((await json<ReplayReport>(area, more, 'dead-letters', 'replay')).replayed, replayed);
    await json<RunReport>(area, more, ...drain);
  }
  const left = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
  assert.deepEqual([left.replayed, left.alreadyReplayed], [0, 4]);
  assert.deepEqual(Object.keys(left.refused), [
    'was replayed 3 times and died again each time: mend the cause, and give --force',
  ]);
  assert.equal((await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--force', '--dry-run')).replayed, 1);
});

test(
  'marks outlive the topic: what was replayed from it is not replayed from object storage; --max goes on',
  { skip },
  async () => {
    await using area = await bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 9);
    const first = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--max', '4');
    assert.deepEqual([first.replayed, first.more], [4, true]);
    // As after the topic's retention, and by whoever has turned it off since.
    const { deadLetters } = more as { deadLetters: object };
    const other = { ...more, deadLetters: { ...deadLetters, topic: false } };
    await deleteTopic(area, area.deadLetters);
    const second = await json<ReplayReport>(area, other, 'dead-letters', 'replay');
    assert.deepEqual([second.replayed, second.alreadyReplayed], [5, 4]);
    await json<RunReport>(area, other, ...drain);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 9);
    assert.equal(target.accepted.length, 9, 'each once');
  },
);

test('a replay that dies between its transaction and its mark is found out by the next one', { skip }, async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 20);
  const { deadLetters } = more as { deadLetters: { objects: { bucket: string } } };
  const alone = { ...more, deadLetters: { ...deadLetters, topic: false } };
  await deleteTopic(area, area.deadLetters);
  // The storage goes away once the transaction is announced: what is replayed cannot be marked.
  let announced = false;
  storage.proxy.watch(({ direction, bytes }) => {
    const head = direction === 'toTarget' ? bytes.toString('latin1', 0, 300) : '';
    if (head.startsWith('PUT ') && head.includes('_marks/pending/')) announced = true;
    return announced && head.startsWith('PUT ') && head.includes('_marks/replayed/') ? 'reset' : 'forward';
  });
  const { stderr } = await runConsumer(area.config(alone), ['dead-letters', 'replay', '--rate', '1000/s'], 1);
  assert.match(stderr, /letter-store-away/);
  assert.ok(announced);
  storage.proxy.watch(undefined);
  const second = await json<ReplayReport>(area, alone, 'dead-letters', 'replay');
  assert.deepEqual([second.replayed, second.alreadyReplayed], [0, 20]);
  await json<RunReport>(area, alone, ...drain);
  assert.equal(target.accepted.length, 20, 'each once');
});

async function deleteTopic({ stack }: Area, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}
