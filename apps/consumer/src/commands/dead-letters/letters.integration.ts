import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DeadLetterDetails, DeadLetterList, PurgeReport, ReplayReport } from '@genesys-kafka/dead-letters';
import { readToEnd } from '@genesys-kafka/kafka';
import { formatDeadLetter, formatRetryHeaders, frame } from '@genesys-kafka/topics';
import { dataPartitions, samples, startBus, type Area, type Bus } from '../../../fixtures/bus.ts';
import { ConsumerProcess, runConsumer, steady } from '../../../fixtures/consumer-process.ts';
import { letterFlood, toTopic } from '../../../fixtures/letter-flood.ts';
import { Target } from '../../../fixtures/target.ts';
import { until } from '../../../fixtures/until.ts';
import type { RunReport } from '../run.ts';

const MIB = 1024 * 1024;
let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];

async function json<T>(area: Area, more: object, ...args: readonly string[]): Promise<T> {
  return JSON.parse((await runConsumer(area.config(more), args)).stdout) as T;
}

test('unreadable: kept once with its bytes, whatever the routes, and what comes after it is delivered', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.append(0, { key: 'p', value: Buffer.from('plain text') });
  await area.append(0, { key: 'p', value: Buffer.from([0, 0]) });
  await area.append(0, { key: 'p', value: null });
  await area.append(0, { key: 'p', value: frame(area.schemaId, Buffer.from('{"broken":')) });
  await area.append(0, { key: 'p', value: frame(987_654, Buffer.from('{"conversationId":"x","n":1}')) });
  await area.append(0, { key: null, value: frame(area.schemaId, Buffer.from('{"conversationId":"x","n":2}')) });
  const more = {
    routes: [
      { name: 'one', sink: 'crm' },
      { name: 'two', when: 'record.n > 100.0', sink: 'crm' },
    ],
    sinks: { crm: { type: 'http', url: target.url } },
  };
  const { routes } = await json<RunReport>(area, more, ...drain);
  assert.equal(routes.one!.delivered, 1);
  assert.equal(routes.unrouted!.deadLettered, 5);
  const { letters } = await json<DeadLetterList>(area, more, 'dead-letters', 'list');
  assert.deepEqual(letters.map(({ cause }) => cause).sort(), [
    'frame-missing',
    'frame-too-short',
    'frame-wrong-magic',
    'json-invalid',
    'unknown-schema-id',
  ]);
  const plain = letters.find(({ cause }) => cause === 'frame-wrong-magic')!;
  const { value, framing } = await json<DeadLetterDetails>(area, more, 'dead-letters', 'show', plain.id);
  assert.deepEqual([value, framing], [{ text: 'plain text' }, 'none']);
  const replayed = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
  assert.deepEqual([replayed.replayed, Object.values(replayed.refused).reduce((a, b) => a + b)], [0, 5]);
});

test('unrouted: dead letters by default, which go to the routes that pick them by the time of the replay; or dropped', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(20, 10));
  const sinks = { crm: { type: 'http', url: target.url } };
  const none = { routes: [{ name: 'none', when: 'record.n > 100.0', sink: 'crm' }], sinks };
  const first = await json<RunReport>(area, none, ...drain);
  assert.equal(first.routes.unrouted!.deadLettered, 20);
  const some = { routes: [{ name: 'some', when: 'record.n == 1.0', sink: 'crm' }], sinks };
  const replay = await json<ReplayReport>(area, some, 'dead-letters', 'replay');
  assert.deepEqual([replay.replayed, replay.refused], [10, { 'no route picks it': 10 }]);

  const dropped = await json<RunReport>(area, { ...none, unrouted: 'drop', connector: 'other' }, ...drain);
  assert.equal(dropped.routes.unrouted!.dropped, 20);
});

test('replay: each dead letter once, whatever is repeated; it carries on its key, version and count of attempts', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(60, 20));
  target.answer = ({ n }) => ({ status: n === 1 ? 422 : 200 });
  const more = { routes: [{ name: 'all', sink: 'crm' }], sinks: { crm: { type: 'http', url: target.url } } };
  await json<RunReport>(area, more, ...drain);
  const list = await json<DeadLetterList>(area, more, 'dead-letters', 'list', '--stage', 'deliver');
  assert.equal(list.letters.length, 20);
  // As after a crash between a move and its commit: the same dead letter twice.
  const { partition, key } = list.letters[0]!;
  const copied = await copyOf(area, list.letters[0]!.id);
  await area.append(partition!, { key: key!, ...copied }, area.deadLetters);
  assert.equal((await json<DeadLetterList>(area, more, 'dead-letters', 'list')).letters.length, 20);
  // Another connector's, in the same place, is left alone.
  const foreign = { ...routeLetter(area.main), group: encodeURIComponent(`${area.prefix}foreign.all`) };
  await area.append(0, { key: 'y', value: Buffer.from('{}'), headers: foreign }, area.deadLetters);
  // And one of the producer, which has no route to go back to.
  await area.append(0, { key: 'x', value: Buffer.from('{'), headers: producerLetter() }, area.deadLetters);

  const dry = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--dry-run');
  assert.equal(dry.replayed, 20);
  const before = new Map(target.seen.map((one) => [one.idempotencyKey, one.recordVersion]));
  target.answer = ({ conversationId }) => ({ status: conversationId === 'c-3' ? 422 : 200 });
  const first = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', '1000/s');
  assert.deepEqual([first.replayed, first.alreadyReplayed, first.otherConnectors], [20, 0, 1]);
  assert.match(Object.keys(first.refused)[0]!, /never was on the main topic/);
  const second = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
  assert.deepEqual([second.replayed, second.alreadyReplayed], [0, 20]);

  const seen = target.seen.length;
  await json<RunReport>(area, more, ...drain);
  const again = target.seen.slice(seen);
  assert.equal(again.length, 20, 'each once');
  for (const one of again) assert.equal(one.recordVersion, before.get(one.idempotencyKey));
  const after = await json<DeadLetterList>(area, more, 'dead-letters', 'list', '--route', 'all', '--stage', 'deliver');
  const open = after.letters.filter(({ replayedAt }) => replayedAt === undefined);
  assert.deepEqual(
    open.map(({ key: one, attempts }) => [one, attempts]),
    [['c-3', 2]],
  );
  assert.equal(
    (await json<ReplayReport>(area, more, 'dead-letters', 'replay')).replayed,
    1,
    'a new failure is a new letter',
  );
});

test('large dead letters are replayed and purged in sends that topics take; what the retry topic does not take is said', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  // Packed they are small, so that every topic takes them; they are replayed as they are.
  const add = async (name: string, bytes: number, key = name) => {
    const record = area.outgoing({ conversationId: name, n: 1 }, name, 0);
    await area.append(0, { ...record, key, headers: { ...record.headers, 'of-others': 'x'.repeat(bytes) } });
  };
  await add('largest', 17 * MIB);
  await add('larger', 9 * MIB);
  for (let n = 0; n < 20; n += 1) await add(`large-${n}`, 0, 'x'.repeat(MIB));
  const sinks = { crm: { type: 'http', url: target.url } };
  const none = { routes: [{ name: 'none', when: 'record.n > 100.0', sink: 'crm' }], sinks };
  assert.equal((await json<RunReport>(area, none, ...drain)).routes.unrouted!.deadLettered, 22);
  const kafka = { brokers: area.stack.brokers, topicPrefix: area.prefix, partitions: dataPartitions };
  const twice = { routes: ['one', 'two'].map((name) => ({ name, sink: 'crm' })), sinks };
  const plain = { ...twice, kafka: { ...kafka, compression: 'none' } };
  const { replayed, refused } = await json<ReplayReport>(area, plain, 'dead-letters', 'replay');
  assert.deepEqual([replayed, refused], [21, { 'is more than the topic of replays takes': 1 }]);
  const { routes } = await json<RunReport>(area, twice, ...drain, '--accept-rules');
  assert.deepEqual([routes.one!.delivered, routes.two!.delivered], [43, 43]);
  const { purged } = await json<PurgeReport>(area, plain, 'dead-letters', 'purge', '--yes');
  assert.equal(purged, 22);
});

test('a replay while the routes are live: no more in a second than its rate allows, each letter is delivered once and marked', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const [letters, perSecond] = [40, 10];
  target.answer = () => ({ status: 422 });
  const more = { routes: [{ name: 'all', sink: 'crm' }], sinks: { crm: { type: 'http', url: target.url } } };
  await using consumer = await ConsumerProcess.start(area.config(more), 'run', ...steady);
  await area.publish(samples(letters, letters));
  await until(async () => {
    const ends = await area.client.admin.offsets(area.deadLetters);
    return ends.reduce((sum, { end }) => sum + end, 0n) === BigInt(letters);
  }, 'the dead letters');
  target.answer = () => ({ status: 200 });
  const first = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', `${perSecond}/s`);
  assert.deepEqual([first.replayed, first.alreadyReplayed], [letters, 0]);
  await until(() => target.accepted.length >= letters, 'the deliveries');
  // By the broker's time. One batch may come late and the next one in time: twice the rate, and a little.
  const writtenMs: number[] = [];
  for (let partition = 0; partition < dataPartitions; partition += 1) {
    for await (const { records } of readToEnd(area.client, { topic: `${area.main}.replay`, partition }))
      writtenMs.push(...records.map(({ timestampMs }) => timestampMs));
  }
  assert.equal(writtenMs.length, letters);
  const busiest = Math.max(...writtenMs.map((from) => writtenMs.filter((ms) => ms >= from && ms < from + 1000).length));
  assert.ok(busiest <= 2.5 * perSecond, `${busiest} in one second`);
  const second = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
  assert.deepEqual([second.replayed, second.alreadyReplayed], [0, letters]);
  consumer.signal('SIGTERM');
  const { status, stdout, stderr } = await consumer.ended;
  assert.equal(status, 0, stderr);
  const { delivered, deadLettered } = (JSON.parse(stdout) as RunReport).routes.all!;
  assert.deepEqual([delivered, deadLettered], [letters, letters]);
  assert.equal(target.accepted.length, letters, 'each once');
  assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, letters);
});

test('a target that answers replays slowly holds up neither what comes now nor its retries', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const released = Promise.withResolvers<undefined>();
  let answered = 0;
  target.answer = async ({ conversationId }) => {
    if (!conversationId.startsWith('live')) {
      await released.promise;
      return { status: 200 };
    }
    answered += 1;
    return { status: answered === 1 ? 503 : 200 };
  };
  const more = {
    routes: [{ name: 'crm', sink: 'crm' }],
    // Nothing is late: what is held back for longer would be tried again, and taken twice.
    sinks: { crm: { type: 'http', url: target.url, concurrency: 4, timeout: '10m' } },
    consumer: { inFlightRecords: 5 },
  };
  await toTopic(area, letterFlood(area, 60));
  const { replayed } = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', '1000/s');
  assert.equal(replayed, 60);
  await using consumer = await ConsumerProcess.start(area.config(more), 'run', ...steady);
  await until(() => target.peak > 0, 'the first replay');
  await area.publish([{ conversationId: 'live', n: 0 }]);
  await until(() => target.accepted.length === 1, 'the retry of what came now');
  assert.equal(answered, 2);
  released.resolve(undefined);
  await until(() => target.accepted.length === 61, 'all replays');
  consumer.signal('SIGTERM');
  assert.equal((await consumer.ended).status, 0);
});

test('retries of a route that is not in the configuration are kept as dead letters, not skipped for ever', async () => {
  await using area = await bus.area();
  const group = `${area.prefix}test.old`;
  const origin = { topic: area.main, partition: 0, offset: 7n };
  const state = {
    route: 'old',
    group,
    attempt: 3,
    notBeforeMs: Date.now(),
    cause: 'http-503',
    origin,
    recordVersion: 7n,
  };
  const value = frame(area.schemaId, Buffer.from('{"conversationId":"x","n":1}'));
  await area.append(0, { key: 'x', value, headers: formatRetryHeaders(state) }, `${area.main}.retry-1`);
  // Of another connector, whose business it is.
  const foreign = formatRetryHeaders({ ...state, group: `${area.prefix}foreign.old` });
  await area.append(0, { key: 'x', value, headers: foreign }, `${area.main}.retry-1`);
  // Some route has to be left: a run without any is refused.
  const left = {
    routes: [{ name: 'left', sink: 'disk', when: 'false' }],
    sinks: { disk: { type: 'file', path: '/none' } },
  };
  await json<RunReport>(area, { ...left, unrouted: 'drop' }, ...drain);
  const { letters } = await json<DeadLetterList>(area, {}, 'dead-letters', 'list');
  assert.deepEqual(
    letters.map(({ cause, attempts, origin: place }) => [cause, attempts, place]),
    [['route-removed', 2, { topic: area.main, partition: 0, offset: '7' }]],
  );
});

test('a retry that lies on the topic of a tier that was taken out is delivered before a run is drained', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const headers = formatRetryHeaders({
    route: 'all',
    group: `${area.prefix}test.all`,
    attempt: 3,
    notBeforeMs: Date.now(),
    cause: 'http-503',
    origin: { topic: area.main, partition: 0, offset: 7n },
    recordVersion: 7n,
  });
  const value = frame(area.schemaId, Buffer.from('{"conversationId":"x","n":1}'));
  await area.append(0, { key: 'x', value, headers }, `${area.main}.retry-2`);
  const fewer = { retry: { tiers: ['300ms'] } };
  const route = { routes: [{ name: 'all', sink: 'crm' }], sinks: { crm: { type: 'http', url: target.url } } };
  await json<RunReport>(area, { ...route, ...fewer }, ...drain);
  assert.deepEqual(
    target.accepted.map(({ body }) => body.n),
    [1],
  );
});

async function copyOf(area: Area, id: string) {
  const { letters } = await json<DeadLetterList>(area, {}, 'dead-letters', 'list', '--limit', '1000');
  const { partition, offset } = letters.find((letter) => letter.id === id)!;
  const target = { topic: area.deadLetters, partition: partition! };
  for await (const slice of area.client.read(target, { from: BigInt(offset!) })) {
    const { value, headers } = slice.records[0]!;
    return { value, headers };
  }
  throw new Error('the dead letter was not read');
}

function routeLetter(topic: string): Record<string, string> {
  return formatDeadLetter({
    framing: 'none',
    stage: 'route',
    cause: 'reshape-error',
    reason: 'x',
    timestampMs: Date.now(),
    origin: { topic, partition: 0, offset: 0n },
    route: 'all',
    attempts: 0,
  });
}

function producerLetter(): Record<string, string> {
  return formatDeadLetter({
    framing: 'none',
    stage: 'validate',
    cause: 'schema-violation',
    reason: '/participants is missing',
    timestampMs: Date.now(),
    origin: { source: 'job-1', ordinal: 3 },
    attempts: 0,
  });
}
