import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readToEnd, type ConsumedRecord } from '@genesys-kafka/kafka';
import { seededRandom } from '@genesys-kafka/testing';
import { partitionFor, topicSpecs } from '@genesys-kafka/topics';
import { samples, startBus, type Area, type Bus, type Sample } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { until } from '../../fixtures/until.ts';
import { fitsTopic } from '../forward/fits-topic.ts';

const KEYS = 50;
/** A long run is asked for: `CONSUMER_KILLS=20 CONSUMER_RECORDS=50000`. */
const KILLS = Number(process.env.CONSUMER_KILLS ?? 2);
const RECORDS = Number(process.env.CONSUMER_RECORDS ?? 3000);
/** At least so many are left before each kill; so many of each key. */
const SHARE = Math.ceil(RECORDS / KILLS / KEYS) * KEYS;
const TARGET_PARTITIONS = 5;
const MIB = 1024 * 1024;
let bus: Bus;

before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];
const reportOf = (stdout: string) =>
  (JSON.parse(stdout) as { routes: Record<string, Record<'delivered' | 'deadLettered' | 'skipped', number>> }).routes;

async function targetOf(
  area: Area,
  partitions = TARGET_PARTITIONS,
  config: Record<string, string> = {},
): Promise<string> {
  const name = `${area.prefix}other`;
  await area.client.admin.createMissing([{ name, partitions, config }]);
  return name;
}

const copy = (area: Area, topic: string, sink: object = {}, more: object = {}) =>
  area.config({
    routes: [{ name: 'all', sink: 'copy' }],
    sinks: { copy: { type: 'kafka', topic, breaker: { cooldown: '500ms' }, ...sink } },
    ...more,
  });

/** What a read_committed reader finds, partition by partition. */
async function contents(area: Area, topic: string): Promise<ConsumedRecord[]> {
  const found: ConsumedRecord[] = [];
  for (const { partition } of await area.client.admin.offsets(topic))
    for await (const { records } of readToEnd(area.client, { topic, partition })) found.push(...records);
  return found;
}

/** `count` records after the first `there`, which are there already. */
async function publish(area: Area, count: number, there = 0): Promise<void> {
  const all = samples(there + count, KEYS);
  for (let from = there; from < all.length; from += 1000)
    await area.publish(all.slice(from, from + 1000), `job-${from}`);
}

const lineOf = ({ key, value, headers }: Pick<ConsumedRecord, 'key' | 'value' | 'headers'>) =>
  JSON.stringify([
    key?.toString(),
    value?.toString('latin1'),
    Object.entries(headers)
      .map(([name, text]) => [name, String(text)])
      .sort(),
  ]);

/** Each record once, byte for byte: key, headers, value; each key in one partition, in its order. */
async function assertOnce(area: Area, target: string, isPicked: (key: string) => boolean = () => true): Promise<void> {
  const published = await contents(area, area.main);
  const [source, copied] = [published.filter(({ key }) => isPicked(key!.toString())), await contents(area, target)];
  assert.equal(copied.length, source.length, 'lost, or there twice');
  assert.deepEqual(copied.map(lineOf).sort(), source.map(lineOf).sort());
  for (const [key, ofKey] of Map.groupBy(copied, (record) => record.key!.toString())) {
    assert.deepEqual([...new Set(ofKey.map(({ partition }) => partition))], [partitionFor(key, TARGET_PARTITIONS)]);
    const order = ofKey.map(({ value }) => (JSON.parse(value!.subarray(5).toString()) as Sample).n);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      key,
    );
  }
}

test('each record is at the target once, with its key, headers and bytes, where its key belongs; a second run writes nothing', async () => {
  await using area = await bus.area();
  const target = await targetOf(area);
  await publish(area, 1000);
  const { all } = reportOf((await runConsumer(copy(area, target), drain)).stdout);
  assert.equal(all!.delivered, 1000);
  await assertOnce(area, target);
  await runConsumer(copy(area, target), drain);
  await assertOnce(area, target);
});

test(`${KILLS} times kill -9 at any moment in ${RECORDS} records: each is at the target once, byte for byte, each key in its order, or once a dead letter`, async (t) => {
  await using area = await bus.area();
  const target = await targetOf(area);
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  const config = area.config({
    // Fails on every record of one key.
    routes: [{ name: 'all', when: 'record.conversationId != "c-7" || int(record.conversationId) > 0', sink: 'copy' }],
    sinks: { copy: { type: 'kafka', topic: target, batch: { records: 40, age: '50ms' } } },
  });
  const written = async () => {
    const offsets = await area.client.admin.offsets(target);
    return offsets.reduce((sum, { end }) => sum + Number(end), 0);
  };
  let [kills, published, left] = [0, 0, 0];
  for (let tries = 0; kills < KILLS; tries += 1) {
    assert.ok(tries < 10 * KILLS, 'it was done before it was killed each time: give it more records');
    const more = left >= SHARE ? 0 : published === 0 ? SHARE * KILLS : SHARE;
    await publish(area, more, published);
    published += more;
    const before = await written();
    await using running = await ConsumerProcess.start(config, 'run', ...quick);
    await until(async () => (await written()) > before, 'a transaction');
    await delay(random() * 200);
    running.signal('SIGKILL');
    await running.ended;
    // A machine may be quick enough to be done by then.
    // At the least: there are markers among the offsets. What its open transaction holds is not there yet.
    left = published - published / KEYS - (await written());
    if (left > 0) kills += 1;
  }
  await runConsumer(config, drain);
  await assertOnce(area, target, (key) => key !== 'c-7');
  const letters = await contents(area, area.deadLetters);
  const origins = letters.map(
    ({ headers }) => `${String(headers['origin-partition'])}-${String(headers['origin-offset'])}`,
  );
  assert.equal(new Set(origins).size, published / KEYS);
  assert.equal(letters.length, published / KEYS, 'a dead letter is there twice');
});

test('a paused consumer whose partitions went to another one wakes up: it is fenced, finds the other claim, and nothing of it shows', async () => {
  await using area = await bus.area();
  const target = await targetOf(area);
  await publish(area, 2000);
  const config = copy(area, target, { batch: { records: 20, age: '50ms' } });
  await using zombie = await ConsumerProcess.start(config, 'run', ...quick);
  const isBegun = async () => (await area.client.admin.offsets(target)).some(({ end }) => end > 20n);
  await until(isBegun, 'the first transactions');
  process.kill(zombie.pid, 'SIGSTOP');
  await runConsumer(config, drain);
  await assertOnce(area, target);
  process.kill(zombie.pid, 'SIGCONT');
  await area.publish([{ conversationId: 'late', n: 0 }], 'late');
  await until(async () => (await contents(area, target)).length === 2001, 'the late record');
  zombie.signal('SIGTERM');
  assert.equal((await zombie.ended).status, 0, zombie.stderr);
  await assertOnce(area, target);
});

const foreign = process.env.KAFKA_BROKERS ? 'the brokers are not ours to kill' : undefined;
test(
  'the broker is killed twice in the midst: the partitions are claimed again, and each record is at the target once',
  { skip: foreign },
  async () => {
    await using area = await bus.area();
    const target = await targetOf(area);
    const config = copy(area, target, { batch: { records: 20, age: '50ms' } });
    await using running = await ConsumerProcess.start(config, 'run', ...quick);
    const written = async () =>
      (await area.client.admin.offsets(target)).reduce((sum, { end }) => sum + Number(end), 0);
    for (let round = 0; round < 2; round += 1) {
      const before = await written();
      await publish(area, 2500, round * 2500);
      await until(async () => (await written()) > before + 50, 'progress');
      await bus.stack.killBroker(0);
      await bus.stack.startBroker(0);
    }
    await until(async () => (await contents(area, target)).length >= 5000, 'all of them');
    running.signal('SIGTERM');
    assert.equal((await running.ended).status, 0, running.stderr);
    await assertOnce(area, target);
  },
);

test('another cluster by its brokers, values without the frame; what the target does not take is a dead letter, which goes there once it does', async () => {
  await using area = await bus.area();
  const target = await targetOf(area, TARGET_PARTITIONS, { 'max.message.bytes': '200000' });
  await publish(area, 100);
  // Random, or compression would make it fit.
  const noise = Array.from({ length: 40_000 }, () => Math.random().toString(36).slice(2)).join(' ');
  const large = area.outgoing({ conversationId: 'c-1', n: 99, noise } as Sample, 'large', 0);
  await area.append(partitionFor('c-1', 3), large);
  const sink = { brokers: area.stack.brokers, frame: 'strip' };
  const { all } = reportOf((await runConsumer(copy(area, target, sink), drain)).stdout);
  assert.deepEqual([all!.delivered, all!.deadLettered], [100, 1]);
  const bodies = async () => (await contents(area, target)).map(({ value }) => value!.toString());
  assert.deepEqual(
    (await bodies()).sort(),
    samples(100, KEYS)
      .map((sample) => JSON.stringify(sample))
      .sort(),
  );
  const { stdout } = await runConsumer(copy(area, target, sink), ['dead-letters', 'list']);
  assert.match(stdout, /"cause":\s*"message-too-large"/);
});

test('what is too large by its headers: a dead letter where the target does not take it, a pointer where the dead-letter topic does not either', async () => {
  await using area = await bus.area();
  const target = await targetOf(area);
  await publish(area, 100);
  // Packed they are small, so that the main topic takes them; the copy is not packed.
  const headers = (bytes: number) => ({ 'of-others': 'x'.repeat(bytes) });
  const add = async (key: string, bytes: number) => {
    const record = area.outgoing({ conversationId: key, n: 99 }, key, 0);
    await area.append(partitionFor(key, 3), { ...record, headers: { ...record.headers, ...headers(bytes) } });
  };
  await add('c-1', 2 * MIB);
  await add('c-2', 17 * MIB);
  // Its rule fails on it.
  await add('word', 17 * MIB);
  const config = area.config({
    routes: [{ name: 'all', when: 'record.conversationId != "word" || int(record.conversationId) > 0', sink: 'copy' }],
    sinks: { copy: { type: 'kafka', topic: target, compression: 'none' } },
  });
  const { all } = reportOf((await runConsumer(config, drain)).stdout);
  assert.deepEqual([all!.delivered, all!.deadLettered], [100, 3]);
  const letters = await contents(area, area.deadLetters);
  assert.deepEqual(
    letters
      .map(({ key, value, headers: its }) => [String(key), String(its.cause), value === null ? 'pointer' : 'whole'])
      .sort(),
    [
      ['c-1', 'message-too-large', 'whole'],
      ['c-2', 'message-too-large', 'pointer'],
      ['word', 'rule-error', 'pointer'],
    ],
  );
});

test('a record that the target’s brokers refuse is a dead letter, and takes no other one down', async () => {
  await using area = await bus.area();
  // Without a key it has no place in a compacted topic.
  const target = await targetOf(area, 1, { 'cleanup.policy': 'compact' });
  await publish(area, 100);
  await area.append(0, { ...area.outgoing({ conversationId: 'c-1', n: 99 }, 'x', 0), key: null });
  const { stdout } = await runConsumer(copy(area, target), drain);
  const { all } = reportOf(stdout);
  assert.deepEqual([all!.delivered, all!.deadLettered], [100, 1]);
  const [letter, ...others] = await contents(area, area.deadLetters);
  assert.deepEqual([String(letter!.headers.cause), letter!.key, others.length], ['record-refused', null, 0]);
  assert.equal((await contents(area, target)).length, 100);
});

test('a position that its topic refuses blames no record: the circuit opens and says why, and the records wait', async () => {
  await using area = await bus.area();
  const target = await targetOf(area);
  const { positions } = topicSpecs({ prefix: area.prefix });
  const tooSmall = { ...positions.config, 'max.message.bytes': '100' };
  await area.client.admin.createMissing([{ ...positions, config: tooSmall }]);
  await publish(area, 20);
  await using running = await ConsumerProcess.start(copy(area, target), 'run', ...quick);
  const isTold = () => /"cause":"message-too-large".*sink-positions.*"msg":"the target refuses us/.test(running.stderr);
  await until(isTold, 'the refusal');
  running.signal('SIGTERM');
  assert.equal((await running.ended).status, 0, running.stderr);
  assert.doesNotMatch(running.stderr, /dead letter/);
});

test('whether a topic takes a record is told to the byte, as its broker has it', async () => {
  await using area = await bus.area();
  const maxBytes = 100_000;
  const topic = await targetOf(area, 1, { 'max.message.bytes': String(maxBytes) });
  const record = (bytes: number) => ({ key: 'k', value: Buffer.from('v'), headers: { note: randomBytes(bytes) } });
  let bytes = maxBytes;
  while (!fitsTopic(record(bytes), maxBytes, 'zstd')) bytes -= 1;
  await area.send(0, [record(bytes)], topic);
  await assert.rejects(area.send(0, [record(bytes + 1)], topic), { code: 'message-too-large' });
});

test('a dead letter that is replayed to such a route comes by the topic of replays, once, without our headers', async () => {
  await using area = await bus.area();
  const target = await targetOf(area);
  await publish(area, 20);
  const config = (when: string) =>
    area.config({ routes: [{ name: 'all', when, sink: 'copy' }], sinks: { copy: { type: 'kafka', topic: target } } });
  // Fails on each record: all are dead letters of the route, in the transactions of their positions.
  const failing = reportOf((await runConsumer(config('int(record.conversationId) > 0'), drain)).stdout);
  assert.equal(failing.all!.deadLettered, 20);
  assert.equal((await contents(area, area.deadLetters)).length, 20);
  await runConsumer(config('true'), ['dead-letters', 'replay', '--rate', '1000/s']);
  const { all } = reportOf((await runConsumer(config('true'), [...drain, '--accept-rules'])).stdout);
  assert.equal(all!.delivered, 20);
  await assertOnce(area, target);
});

test('a target that is missing, has another number of partitions than it had, or is what is read, and a lost position: said, and nothing written', async () => {
  await using area = await bus.area();
  const missing = copy(area, `${area.prefix}none`);
  assert.match(
    (await runConsumer(missing, ['check'], 1)).stdout,
    /topic-missing: The target topic .*none does not exist/,
  );
  assert.match((await runConsumer(missing, drain, 1)).stderr, /topic-missing/);
  assert.match(
    (await runConsumer(copy(area, area.main), ['check'], 1)).stdout,
    /topic-unfit: .* cannot be a target too/,
  );
  const target = await targetOf(area);
  assert.match((await runConsumer(copy(area, target), ['check'])).stdout, /"sink copy"/);
  const away = await runConsumer(copy(area, target, { brokers: ['127.0.0.1:1'] }), ['check'], 1);
  assert.match(away.stdout, /broker-unreachable: .* that sinks\.copy\.brokers and their/);
  await publish(area, 100);
  await runConsumer(copy(area, target), drain);
  const admin = area.kafkajs();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic: target, count: TARGET_PARTITIONS + 2 }] });
  await area.publish(
    samples(100, KEYS).map((sample) => ({ ...sample, n: sample.n + 10 })),
    'more',
  );
  assert.match(
    (await runConsumer(copy(area, target), drain, 1)).stderr,
    /target-changed: .* has 7 partitions, and had 5/,
  );
  assert.equal((await contents(area, target)).length, 100);
  await admin.deleteTopics({ topics: [`${area.prefix}sink-positions`] });
  await admin.disconnect();
  const isGone = async () => (await area.client.admin.describeTopic(`${area.prefix}sink-positions`)) === undefined;
  await until(isGone, 'the end of the topic of positions');
  assert.match(
    (await runConsumer(copy(area, target), drain, 1)).stderr,
    /positions-lost: .* position kept there is gone/,
  );
  assert.equal((await contents(area, target)).length, 100);
  await runConsumer(copy(area, target), [...drain, '--accept-rules']);
  assert.equal((await contents(area, target)).length, 200);
});
