import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readToEnd } from '@genesys-kafka/kafka';
import { missingStorage, seededRandom, startStorage, type Storage } from '@genesys-kafka/testing';
import { Bucket, StorageGate } from '../../fixtures/bucket.ts';
import { dataPartitions, samples, startBus, type Area, type Bus, type Sample } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { until } from '../../fixtures/until.ts';

const skip = missingStorage();
/** A long run is asked for: `CONSUMER_KILLS=20 CONSUMER_RECORDS=50000`. */
const KILLS = Number(process.env.CONSUMER_KILLS ?? 2);
const RECORDS = Number(process.env.CONSUMER_RECORDS ?? 3000);
/** At least so many are left before each kill. */
const SHARE = Math.ceil(RECORDS / KILLS);
let bus: Bus;
let storage: Storage;

before(async () => {
  if (skip !== undefined) return;
  [bus, storage] = await Promise.all([startBus(), startStorage()]);
});
after(async () => {
  if (skip !== undefined) return;
  await Promise.all([bus[Symbol.asyncDispose](), storage[Symbol.asyncDispose]()]);
});

const drain = ['run', '--drain', ...steady];
const reportOf = (stdout: string) =>
  (JSON.parse(stdout) as { routes: Record<string, Record<'delivered' | 'deadLettered' | 'skipped', number>> }).routes;
const lake = (area: Area, sink: object, more: object = {}) =>
  area.config({ routes: [{ name: 'all', sink: 'lake' }], sinks: { lake: sink }, ...more });
const lineOf = ({ conversationId, n }: Sample) => JSON.stringify({ conversationId, n });

/** `count` records after the first `there`, which are there already; resolves with their lines. */
async function publish(area: Area, count: number, there = 0): Promise<string[]> {
  const all = samples(there + count, 50);
  for (let from = there; from < all.length; from += 1000)
    await area.publish(all.slice(from, from + 1000), `job-${from}`);
  return all.slice(there).map(lineOf);
}

/** UTC days on which the records of the main topic were published: two where a midnight lies between. */
async function daysOf({ client, main: topic }: Area): Promise<Set<string>> {
  const days = new Set<string>();
  for (const { partition } of await client.admin.offsets(topic))
    for await (const { records } of readToEnd(client, { topic, partition }))
      for (const { timestampMs } of records) days.add(new Date(timestampMs).toISOString().slice(0, 10));
  return days;
}

/** Each record once, byte for byte. */
function assertOnce(lines: readonly string[], published: readonly string[]): void {
  assert.equal(lines.length, published.length, 'lost, or there twice');
  assert.deepEqual(lines.toSorted(), published.toSorted());
}

test(
  'each record is in one object, under the day of its publishing, in its order; what no rule of the route picks is not',
  { skip },
  async () => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    const published = await publish(area, 1000);
    const spread = { key: 'c-0', value: area.outgoing({ conversationId: 'c-0', n: 99 }, 's', 0).value as Buffer };
    const broken = Buffer.concat([spread.value.subarray(0, 5), Buffer.from('{"conversationId":\r\n"c-0",\n"n":99}')]);
    await area.append(0, { key: 'c-0', value: broken });
    await area.append(0, { key: 'c-0', value: Buffer.from('no frame') });
    const sink = bucket.sink({ prefix: 'y={yyyy}/m={MM}/d={dd}/', batch: { records: 100, age: '1s' } });
    const config = area.config({
      routes: [
        { name: 'even', when: 'int(record.n) % 2 == 0', sink: 'lake' },
        { name: 'odd', when: 'int(record.n) % 2 != 0', sink: 'lake' },
      ],
      sinks: { lake: sink },
    });
    const { even, odd, unrouted } = reportOf((await runConsumer(config, drain)).stdout);
    assert.deepEqual([even!.delivered, odd!.delivered], [500, 501]);
    assert.equal(unrouted!.deadLettered, 1, 'what nobody can read is not in an object');
    const objects = await bucket.objects();
    const days = await daysOf(area);
    for (const [key, text] of objects) {
      const [, yyyy, MM, dd, rest] = /^y=(\d{4})\/m=(\d\d)\/d=(\d\d)\/(.*)$/.exec(key)!;
      assert.ok(days.has(`${yyyy}-${MM}-${dd}`), key);
      assert.ok(rest!.startsWith(`${area.main}-`) && /-\d-\d{20}-[0-9a-f]{12}\.ndjson\.gz$/.test(rest!), key);
      assert.ok(text.split('\n').length <= 101, 'more than a batch');
      const records = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Sample);
      for (const [id, ofKey] of Map.groupBy(records, ({ conversationId }) => conversationId))
        assert.deepEqual(
          ofKey.map(({ n }) => n),
          ofKey.map(({ n }) => n).sort((a, b) => a - b),
          id,
        );
    }
    assertOnce(await bucket.lines(), [...published, '{"conversationId":  "c-0", "n":99}']);
    await runConsumer(config, drain);
    assert.equal((await bucket.objects()).size, objects.size, 'a second run has nothing to write');
  },
);

test(
  `${KILLS} times kill -9 at any moment in ${RECORDS} records: each is there once, byte for byte, and no object changes once it is there`,
  { skip },
  async (t) => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    const published: string[] = [];
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    t.diagnostic(`seed ${seed}`);
    const config = lake(area, bucket.sink({ batch: { records: 40, age: '300ms' } }));
    const seen = new Map<string, string>();
    const look = async () => {
      for (const [key, etag] of await bucket.etags()) {
        assert.equal(seen.get(key) ?? etag, etag, `${key} was made anew, and is another object`);
        seen.set(key, etag);
      }
    };
    let [kills, left] = [0, 0];
    for (let tries = 0; kills < KILLS; tries += 1) {
      assert.ok(tries < 10 * KILLS, 'it was done before it was killed each time: give it more records');
      const more = left >= SHARE ? 0 : published.length === 0 ? RECORDS : SHARE;
      published.push(...(await publish(area, more, published.length)));
      await using running = await ConsumerProcess.start(config, 'run', ...quick);
      const before = seen.size;
      await until(async () => (await bucket.etags()).length > before || running.stderr.includes('"err"'), 'an object');
      await delay(random() * 200);
      running.signal('SIGKILL');
      await running.ended;
      await look();
      // A machine may be quick enough to be done by then.
      left = published.length - (await bucket.lines()).length;
      if (left > 0) kills += 1;
    }
    await runConsumer(config, drain);
    await look();
    assertOnce(await bucket.lines(), published);
  },
);

test(
  'a paused consumer whose partitions went to another one wakes up: nothing of what it does then shows',
  { skip },
  async () => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    await using gate = await StorageGate.before(storage);
    const published = await publish(area, 1500);
    const config = lake(area, bucket.sink({ endpoint: gate.endpoint, batch: { records: 40, age: '300ms' } }));
    await using zombie = await ConsumerProcess.start(config, 'run', ...quick);
    await until(() => gate.puts > 3, 'the first objects');
    process.kill(zombie.pid, 'SIGSTOP');
    // It is to be in the midst: with batches that are declared, and requests that are under way.
    const before = new Map(await bucket.etags());
    await runConsumer(config, drain);
    assertOnce(await bucket.lines(), published);
    const done = await bucket.etags();
    process.kill(zombie.pid, 'SIGCONT');
    await area.publish([{ conversationId: 'late', n: 0 }], 'late');
    await until(async () => (await bucket.etags()).length > done.length, 'the late record');
    zombie.signal('SIGTERM');
    assert.equal((await zombie.ended).status, 0, zombie.stderr);
    assertOnce(await bucket.lines(), [...published, lineOf({ conversationId: 'late', n: 0 })]);
    const now = new Map(await bucket.etags());
    for (const [key, etag] of [...before, ...done]) assert.equal(now.get(key), etag, key);
  },
);

test(
  'a storage that loses answers, is away, and refuses for a while: nothing is lost or there twice, the offset waits, and the circuit is told',
  { skip },
  async () => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    await using gate = await StorageGate.before(storage);
    const batch = { records: 50, age: '300ms' };
    const sink = bucket.sink({ endpoint: gate.endpoint, batch, breaker: { cooldown: '500ms' } });
    const config = lake(area, sink);
    const published = await publish(area, 600);
    let puts = 0;
    gate.fate = ({ method }) => (method === 'PUT' && (puts += 1) % 3 === 0 ? 'lose-answer' : 'pass');
    await using running = await ConsumerProcess.start(config, 'run', ...quick);
    await until(async () => (await bucket.lines()).length === published.length, 'all in spite of lost answers');
    const committed = async () =>
      [...(await area.client.admin.groupCommits(`${area.prefix}test.all`, area.main)).values()].map(
        ({ offset }) => offset,
      );
    // An object whose answer was lost is there, and is put again: its offset moves after that.
    const ends = async () => (await area.client.admin.offsets(area.main)).map(({ end }) => end);
    await until(async () => String(await committed()) === String(await ends()), 'all committed');
    const before = await committed();
    gate.fate = () => ({ status: 403, code: 'AccessDenied' });
    published.push(...(await publish(area, 600)));
    await until(
      () => running.stderr.includes('circuit open') && running.stderr.includes('s3-access-denied'),
      'the circuit',
    );
    gate.fate = () => 'away';
    await delay(2000);
    assert.deepEqual(await committed(), before, 'the offset moved, and nothing was written');
    gate.fate = () => 'pass';
    await until(async () => (await bucket.lines()).length === published.length, 'all of the second part');
    running.signal('SIGTERM');
    assert.equal((await running.ended).status, 0, running.stderr);
    assertOnce(await bucket.lines(), published);
  },
);

test(
  'check names what is wrong with a bucket, and leaves nothing in a good one; run does not begin',
  { skip },
  async () => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    await using gate = await StorageGate.before(storage);
    gate.fate = () => ({ status: 403, code: 'AccessDenied' });
    const { stdout } = await runConsumer(lake(area, bucket.sink()), ['check']);
    assert.match(stdout, /"sink lake"/);
    assert.deepEqual(await bucket.etags(), []);
    for (const [more, reason] of [
      [{ bucket: 'there-is-none' }, /s3-bucket-missing: .*, and sinks\.lake\.endpoint\./],
      [{ endpoint: gate.endpoint }, /s3-access-denied.*s3:PutObject/s],
      [{ endpoint: 'http://127.0.0.1:9' }, /s3-unreachable/],
    ] as const) {
      const config = lake(area, bucket.sink(more));
      const checked = await runConsumer(config, ['check'], 1);
      assert.match(checked.stdout, reason);
    }
    const refused = await runConsumer(lake(area, bucket.sink({ bucket: 'there-is-none' })), drain, 1);
    assert.match(refused.stderr, /s3-bucket-missing/);
  },
);

test(
  'a batch that was under way under another prefix is not written again elsewhere: the run says so, and goes on as asked',
  { skip },
  async () => {
    await using area = await bus.area();
    using bucket = await Bucket.create(storage);
    await using gate = await StorageGate.before(storage);
    const published = await publish(area, 300);
    gate.fate = ({ method }) => (method === 'PUT' ? 'away' : 'pass');
    const of = (prefix: string) =>
      lake(area, bucket.sink({ prefix, endpoint: gate.endpoint, batch: { records: 1000, age: '200ms' } }));
    await using first = await ConsumerProcess.start(of('one/'), 'run', ...quick);
    const notes = async () =>
      [...(await area.client.admin.groupCommits(`${area.prefix}test.all`, area.main)).values()].map(({ note }) => note);
    // In each partition: what is not declared may go elsewhere.
    const areDeclared = async () => (await notes()).filter((note) => note.includes('batch=')).length === dataPartitions;
    await until(areDeclared, 'batches that are declared');
    first.signal('SIGKILL');
    await first.ended;
    gate.fate = () => 'pass';
    const refused = await runConsumer(of('two/'), drain, 1);
    assert.match(refused.stderr, /batch-changed/);
    assert.deepEqual(await bucket.etags(), []);
    await runConsumer(of('two/'), [...drain, '--accept-rules']);
    assertOnce(await bucket.lines(), published);
  },
);
