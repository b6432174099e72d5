import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connectLetterPlace,
  type DeadLetterList,
  type DeadLetterStats,
  type ReplayReport,
} from '@genesys-kafka/dead-letters';
import { partitionFor } from '@genesys-kafka/topics';
import { Kafka, logLevel } from 'kafkajs';
import { dataPartitions, type Area } from '../../../fixtures/bus.ts';
import { ConsumerProcess, runConsumer } from '../../../fixtures/consumer-process.ts';
import { letterFlood, toObjects, toTopic } from '../../../fixtures/letter-flood.ts';
import { drain, json, refused, useLetterStores } from '../../../fixtures/letter-stores.ts';
import { Target } from '../../../fixtures/target.ts';
import { until } from '../../../fixtures/until.ts';
import type { Explanation } from '../explain/explain.ts';
import type { RunReport } from '../run.ts';

const stores = useLetterStores();
const { skip, freshBucket } = stores;
const never = new AbortController().signal;

test('a record that comes back after each replay is left after the third, and said so', { skip }, async () => {
  await using area = await stores.bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 2, stores.storage.settings(await freshBucket()));
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

test('a dry run makes no topic, and says what the objects alone would be replayed of', { skip }, async () => {
  await using area = await stores.bus.area();
  const objects = stores.storage.settings(await freshBucket());
  const prefix = `${area.prefix}none.`;
  const more = {
    connector: 'test',
    kafka: { brokers: area.stack.brokers, topicPrefix: prefix },
    routes: [{ name: 'crm', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: 'http://127.0.0.1:1/' } },
    deadLetters: { objects },
  };
  const group = encodeURIComponent(`${prefix}test.crm`);
  const letters = letterFlood(area, 3).map((letter) => ({ ...letter, headers: { ...letter.headers, group } }));
  await toObjects(objects as never, letters);
  const { replayed } = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--dry-run');
  assert.equal(replayed, 3);
  for (const topic of ['conversation-details', 'conversation-details.replay', 'conversation-details.dlt'])
    assert.equal(await area.client.admin.describeTopic(`${prefix}${topic}`), undefined, topic);
});

test(
  'marks outlive the topic: what was replayed from it is not replayed from object storage; --max goes on',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 9, stores.storage.settings(await freshBucket()));
    const first = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--max', '4');
    assert.deepEqual([first.replayed, first.more], [4, true]);
    // As after the topic's retention, and by whoever has turned it off since.
    const other = { ...more, deadLetters: { ...more.deadLetters, topic: false } };
    await deleteTopic(area, area.deadLetters);
    const second = await json<ReplayReport>(area, other, 'dead-letters', 'replay');
    assert.deepEqual([second.replayed, second.alreadyReplayed], [5, 4]);
    await json<RunReport>(area, other, ...drain);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 9);
    assert.equal(target.accepted.length, 9, 'each once');
  },
);

test('a replay that dies between its transaction and its mark is found out by the next one', { skip }, async () => {
  await using area = await stores.bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 20, stores.storage.settings(await freshBucket()));
  const alone = { ...more, deadLetters: { ...more.deadLetters, topic: false } };
  await deleteTopic(area, area.deadLetters);
  // The storage goes away once the transaction is announced: what is replayed cannot be marked.
  let announced = false;
  stores.storage.proxy.watch(({ direction, bytes }) => {
    const head = direction === 'toTarget' ? bytes.toString('latin1', 0, 300) : '';
    if (head.startsWith('PUT ') && head.includes('_marks/pending/')) announced = true;
    return announced && head.startsWith('PUT ') && head.includes('_marks/replayed/') ? 'reset' : 'forward';
  });
  const { stderr } = await runConsumer(area.config(alone), ['dead-letters', 'replay', '--rate', '1000/s'], 1);
  assert.match(stderr, /letter-store-away/);
  assert.ok(announced);
  stores.storage.proxy.watch(undefined);
  const second = await json<ReplayReport>(area, alone, 'dead-letters', 'replay');
  assert.deepEqual([second.replayed, second.alreadyReplayed], [0, 20]);
  await json<RunReport>(area, alone, ...drain);
  assert.equal(target.accepted.length, 20, 'each once');
});

test(
  'marks that a replay left on the topic alone are told to the storage by the next one: the topic forgets',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 20, stores.storage.settings(await freshBucket()));
    stores.storage.proxy.watch(({ direction, bytes }) => {
      const head = direction === 'toTarget' ? bytes.toString('latin1', 0, 300) : '';
      return head.startsWith('PUT ') && head.includes('_marks/replayed/') ? 'reset' : 'forward';
    });
    const { stderr } = await runConsumer(area.config(more), ['dead-letters', 'replay', '--rate', '1000/s'], 1);
    assert.match(stderr, /letter-store-away/);
    stores.storage.proxy.watch(undefined);
    // It failed, and so it is kept: whoever looks sees that it did.
    const { actions } = await json<DeadLetterStats>(area, more, 'dead-letters', 'stats');
    assert.deepEqual([actions.length, actions[0]?.action, actions[0]?.state], [1, 'replay', 'failed']);
    assert.deepEqual(actions[0]?.counts, { replayed: 20 });
    const second = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
    assert.deepEqual([second.replayed, second.alreadyReplayed], [0, 20]);
    await deleteTopic(area, area.deadLetters);
    const alone = { ...more, deadLetters: { ...more.deadLetters, topic: false } };
    const third = await json<ReplayReport>(area, alone, 'dead-letters', 'replay');
    assert.deepEqual([third.replayed, third.alreadyReplayed], [0, 20]);
  },
);

test(
  'a replay that dies before its transaction has replayed nothing: the next one does, and settles it',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const bucket = await freshBucket();
    const more = await refused(area, target, 20, stores.storage.settings(bucket));
    const alone = { ...more, deadLetters: { ...more.deadLetters, topic: false } };
    await deleteTopic(area, area.deadLetters);
    const pending = async () => (await stores.storage.keys(bucket)).filter((key) => key.includes('_marks/pending/'));
    // What is about to be replayed is announced, and nobody hears that it was.
    let announced = false;
    stores.storage.proxy.watch(({ direction, bytes }) => {
      const head = direction === 'toTarget' ? bytes.toString('latin1', 0, 300) : '';
      if (head.startsWith('PUT ') && head.includes('_marks/pending/')) announced = true;
      return announced && direction === 'toClient' ? 'reset' : 'forward';
    });
    const { stderr } = await runConsumer(area.config(alone), ['dead-letters', 'replay', '--rate', '1000/s'], 1);
    assert.match(stderr, /letter-store-away/);
    stores.storage.proxy.watch(undefined);
    assert.equal((await pending()).length, 1);
    const second = await json<ReplayReport>(area, alone, 'dead-letters', 'replay', '--rate', '1000/s');
    assert.deepEqual([second.replayed, second.alreadyReplayed], [20, 0]);
    assert.deepEqual(await pending(), []);
    await json<RunReport>(area, alone, ...drain);
    assert.equal(target.accepted.length, 20, 'each once');
  },
);

test(
  'what a replay announced that was then taken over is replayed by its followers, each once; others settle their own',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const bucket = await freshBucket();
    const more = await refused(area, target, 10, stores.storage.settings(bucket));
    const alone = { ...more, deadLetters: { ...more.deadLetters, topic: false } };
    await deleteTopic(area, area.deadLetters);
    const { letters } = await json<DeadLetterList>(area, alone, 'dead-letters', 'list');
    const announcement = {
      ...{ v: 1, ids: letters.map(({ id }) => id), at: '2026-01-01T00:00:00.000Z', topic: `${area.main}.replay` },
      from: Object.fromEntries(Array.from({ length: dataPartitions }, (_, partition) => [partition, '0'])),
    };
    await using place = await connectLetterPlace(more.deadLetters.objects as never, { bypass: [] });
    const announce = async (by: string) => {
      const key = `dl/_marks/pending/${by}.json`;
      await place.store.put({ bucket, key }, Buffer.from(JSON.stringify({ ...announcement, by })), never);
    };
    const first = await json<ReplayReport>(area, alone, 'dead-letters', 'replay', '--max', '4');
    assert.deepEqual([first.replayed, first.more], [4, true]);
    // It came to write this after the first one had taken over, and to begin no transaction any more.
    await announce(`${area.prefix}test.dead-letters.replay`);
    // This one is under way.
    await announce(`${area.prefix}other.dead-letters.replay`);
    const second = await json<ReplayReport>(area, alone, 'dead-letters', 'replay');
    assert.deepEqual([second.replayed, second.alreadyReplayed], [6, 4]);
    await json<RunReport>(area, alone, ...drain);
    assert.equal(target.accepted.length, 10);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 10, 'each once');
    const pending = (await stores.storage.keys(bucket)).filter((key) => key.includes('_marks/pending/'));
    assert.deepEqual(pending, [`dl/_marks/pending/${area.prefix}other.dead-letters.replay.json`]);
  },
);

test(
  'of two replays at once the later one takes over, with the store alone, and each is sent once',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const objects = stores.storage.settings(await freshBucket());
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url } },
      deadLetters: { topic: false, objects },
    };
    await toObjects(objects as never, letterFlood(area, 1000));
    await using earlier = await ConsumerProcess.start(area.config(more), 'dead-letters', 'replay', '--rate', '1/s');
    await until(async () => (await replayedIn(area)) >= 1, 'the first one that is replayed');
    const later = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', '1000/s');
    const { status, stderr } = await earlier.ended;
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^error: replay-taken-over: /m);
    assert.equal(later.replayed + later.alreadyReplayed, 1000);
    assert.ok(later.alreadyReplayed >= 1);
    const last = await json<ReplayReport>(area, more, 'dead-letters', 'replay');
    assert.deepEqual([last.replayed, last.alreadyReplayed], [0, 1000]);
    await json<RunReport>(area, more, ...drain);
    assert.equal(target.accepted.length, 1000);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 1000, 'each once');
  },
);

test(
  'a route that has another name by now: its dead letters are left, and go to a route of the old name; that it is paused is said',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 4, stores.storage.settings(await freshBucket()));
    const now = { name: 'crm-2', from: 'latest', sink: 'crm' };
    const renamed = { ...more, routes: [now] };
    const left = await json<ReplayReport>(area, renamed, 'dead-letters', 'replay');
    assert.deepEqual(left.refused, { 'its route is not in the configuration: add one of that name': 4 });
    const both = { ...more, routes: [now, { name: 'crm', when: 'false', from: 'latest', sink: 'crm' }] };
    await runConsumer(area.config(both), ['pause', 'crm']);
    const { stdout, stderr } = await runConsumer(area.config(both), ['dead-letters', 'replay']);
    assert.equal((JSON.parse(stdout) as ReplayReport).replayed, 4);
    assert.match(stderr, /"route":"crm".*the route is paused: what is replayed to it waits/);
    await runConsumer(area.config(both), ['resume', 'crm']);
    await runConsumer(area.config(both), drain);
    assert.equal(target.accepted.length, 4, 'each once');
  },
);

test(
  'replays that their topic lost before the route read them: told by all who are asked, and replayed again, each once',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 6, stores.storage.settings(await freshBucket()));
    const replay = async (...flags: readonly string[]) =>
      json<ReplayReport>(area, more, 'dead-letters', 'replay', ...flags);
    assert.equal((await replay('--where', 'record.conversationId != "c-5"')).replayed, 5);
    const partitions = new Set(['c-0', 'c-1', 'c-2', 'c-3', 'c-4'].map((key) => partitionFor(key, dataPartitions)));
    await until(async () => (await replayedIn(area)) === 5 + partitions.size, 'all replays and markers');
    await forgetReplays(area);
    assert.match((await runConsumer(area.config(more), ['drain-report'], 3)).stdout, /"deletedUnread":[1-9]/);
    const fate = async () => {
      const { versions } = await json<Explanation>(area, more, 'explain', 'c-1');
      return versions[0]!.routes.find(({ route }) => route === 'crm')!;
    };
    const lost = await fate();
    assert.equal(lost.state, 'unknown');
    assert.match(lost.why, /replayed at .* but .*replay partition \d begins at offset [1-9]/);
    assert.match((await runConsumer(area.config(more), drain, 1)).stderr, /records-gone: .*--again-before/);

    const before = new Date(Date.now()).toISOString();
    const first = await replay('--again-before', before, '--max', '2');
    assert.deepEqual([first.replayed, first.alreadyReplayed, first.more], [2, 0, true]);
    const second = await replay('--again-before', before);
    assert.deepEqual([second.replayed, second.alreadyReplayed], [3, 2]);
    assert.deepEqual((await replay('--again-before', before)).replayed, 0);
    const { actions } = await json<DeadLetterStats>(area, more, 'dead-letters', 'stats');
    assert.equal(actions[0]?.filter['again-before'], before);
    await runConsumer(area.config(more), [...drain, '--accept-gap']);
    assert.deepEqual(
      target.accepted.map(({ body }) => body.conversationId).toSorted(),
      ['c-0', 'c-1', 'c-2', 'c-3', 'c-4'],
      'each once, and none that was not replayed before',
    );
    assert.equal((await fate()).state, 'replayed');
  },
);

for (const topic of [true, false]) {
  const where = topic ? 'from both stores' : 'with the store alone';
  test(`a replay ${where} that is killed twice sends each once, and each is delivered once`, { skip }, async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const objects = stores.storage.settings(await freshBucket());
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: target.url } },
      deadLetters: { topic, objects },
    };
    const letters = letterFlood(area, 500);
    // Of the first, only the topic knows, and of the last, only object storage.
    await toTopic(area, letters.slice(0, 300));
    await toObjects(objects as never, letters.slice(100));
    const args = ['dead-letters', 'replay', '--rate', '100/s'];
    for (const least of [1, 150]) {
      await using replay = await ConsumerProcess.start(area.config(more), ...args);
      await until(async () => (await replayedIn(area)) >= least, `${least} replayed`);
      replay.signal('SIGKILL');
      await replay.ended;
    }
    const last = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--rate', '1000/s');
    assert.ok(last.replayed < 500 && last.alreadyReplayed > 0);
    assert.equal(last.replayed + last.alreadyReplayed, 500);
    await json<RunReport>(area, more, ...drain);
    assert.equal(target.accepted.length, 500);
    assert.equal(new Set(target.accepted.map(({ idempotencyKey }) => idempotencyKey)).size, 500, 'each once');
  });
}

/**
 * Offsets of the topic of replays: its records, and a mark for each transaction in each partition. None before a program
 * has made it, which is up long after the patience with a missing topic is over where the machine is busy.
 */
async function replayedIn({ client, main }: Area): Promise<number> {
  const topic = `${main}.replay`;
  if ((await client.admin.describeTopic(topic)) === undefined) return 0;
  return (await client.admin.offsets(topic)).reduce((sum, { end }) => sum + Number(end), 0);
}

/** As retention does. */
async function forgetReplays({ stack, main }: Area): Promise<void> {
  const topic = `${main}.replay`;
  const admin = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({
    topic,
    partitions: ends.map(({ partition, high: offset }) => ({ partition, offset })),
  });
  await admin.disconnect();
}

async function deleteTopic({ stack, client }: Area, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  await until(async () => (await client.admin.describeTopic(topic)) === undefined, 'the end of the topic');
}
