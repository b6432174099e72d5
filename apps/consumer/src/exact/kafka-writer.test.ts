import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkGate } from '@genesys-kafka/delivery';
import {
  KafkaError,
  partitionName,
  type ConsumedRecord,
  type KafkaClient,
  type OutgoingRecord,
  type TopicPartition,
  type Transaction,
} from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { RETRY_HEADER, topicSpecs } from '@genesys-kafka/topics';
import type { GivenUp } from '../forward/forwarder.ts';
import { KafkaSink } from './kafka-sink.ts';
import { KafkaPartitionWriter, type KafkaWriterOptions } from './kafka-writer.ts';

const input = { topic: 'in', partition: 0 };
const never = new AbortController().signal;
const signals = { stopping: never, signal: never };
const declare = async () => true;

/** A cluster in memory: transactions are visible when they are committed, and the last to begin as an id fences. */
class MemoryCluster {
  readonly logs = new Map<string, ConsumedRecord[]>();
  readonly holders = new Map<string, number>();
  partitions = 3;
  maxBytes = 1_000_000;
  /** Told of each commit before it is done; what it throws after `done` is a lost answer. */
  onCommit: (done: () => void) => void = (done) => done();
  commits = 0;
  refuses: (topic: string, value: string) => boolean = () => false;

  get client(): KafkaClient {
    const config = () => ({ 'max.message.bytes': String(this.maxBytes) });
    const admin = {
      createMissing: async () => [],
      describeTopic: async (name: string) =>
        name === 'out' ? { name, partitions: this.partitions, config: config() } : { name, partitions: 12, config: {} },
      topicId: async (name: string) => `id of ${name}`,
    };
    return {
      admin,
      transactionalProducer: (id: string) => this.#producer(id),
      read: (target: TopicPartition) => this.#read(target),
      close: async () => undefined,
    } as unknown as KafkaClient;
  }

  log(target: TopicPartition): ConsumedRecord[] {
    const name = partitionName(target);
    if (!this.logs.has(name)) this.logs.set(name, []);
    return this.logs.get(name)!;
  }

  get copied(): (string | undefined)[] {
    return [0, 1, 2].flatMap((partition) =>
      this.log({ topic: 'out', partition }).map(({ value }) => value?.toString()),
    );
  }

  #producer(id: string) {
    let epoch: number | undefined;
    const assertHolder = () => {
      if (this.holders.get(id) !== epoch) throw new KafkaError('producer-fenced-or-timed-out', 'fenced');
    };
    return {
      begin: async (): Promise<Transaction> => {
        if (epoch === undefined) this.holders.set(id, (epoch = (this.holders.get(id) ?? 0) + 1));
        assertHolder();
        const staged: (() => void)[] = [];
        let hasFailed = false;
        return {
          send: async (target, records) => {
            assertHolder();
            if (hasFailed) throw new KafkaError('producer-discarded', 'failed before');
            if (records.some(({ value }) => this.refuses(target.topic, String(value)))) {
              hasFailed = true;
              throw new KafkaError('record-refused', 'its timestamp');
            }
            staged.push(() => records.forEach((record) => this.#append(target, record)));
          },
          sendBatches: async () => undefined,
          commit: async () => {
            assertHolder();
            this.commits += 1;
            this.onCommit(() => staged.forEach((append) => append()));
          },
          abort: async () => undefined,
        };
      },
      close: async () => undefined,
    };
  }

  #append(target: TopicPartition, { key, value, headers = {} }: OutgoingRecord): void {
    const log = this.log(target);
    const texts = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text ?? '')]);
    const [bytes, text] = [value as Buffer | null, key === null ? null : Buffer.from(key)];
    const record = { ...target, offset: BigInt(log.length), timestampMs: 0, key: text, value: bytes };
    log.push({ ...record, headers: Object.fromEntries(texts) as ConsumedRecord['headers'] });
  }

  async *#read(target: TopicPartition) {
    const records = this.log(target);
    const end = BigInt(records.length);
    yield await Promise.resolve({ records, nextOffset: end, lastStableOffset: end, highWatermark: end });
  }
}

function writerOf(cluster: MemoryCluster, more: Partial<KafkaWriterOptions> = {}) {
  const batch = { records: 10, bytes: 1000, ageMs: 0 };
  const { positions } = topicSpecs({ prefix: 'g.' });
  const client = cluster.client;
  const sink = new KafkaSink({
    ...{ name: 'copy', client, topic: 'out', positions, frame: 'keep', compression: 'none', batch },
    ...{ isOwnCluster: false, ownTopics: [], transactionalIds: [] },
  });
  const letters: [bigint, string][] = [];
  const forwarder = {
    deadLetter: async ({ offset }: ConsumedRecord, _origin: unknown, { cause }: GivenUp) =>
      void letters.push([offset, cause]),
  };
  // Waits cost nothing here.
  const clock = { ...systemClock, sleep: async () => undefined };
  const breaker = { errors: 1, over: 1000, cooldownMs: 1, maxWaitMs: 1 };
  const writer = new KafkaPartitionWriter({
    ...{ input, inputTopicId: 'id of in', transactionalId: 'g.c.all.in-0', sink, lane: 'normal', clock },
    gate: new SinkGate({ concurrency: 4, breaker, clock }),
    forwarderBy: () => forwarder as never,
    deadLetterBytes: 1000,
    acceptChanges: false,
    onAnswer: () => undefined,
    ...more,
  });
  const write = async (from: number, count: number, size = 0) => {
    for (let offset = from; offset < from + count; offset += 1) {
      const value = Buffer.from(`v${offset}`.padEnd(size));
      const record = { ...input, offset: BigInt(offset), timestampMs: 0, key: Buffer.from(`k${offset}`), value };
      const picked = {
        record: { ...record, headers: {} },
        state: { picked: false, attempt: 1 },
        value: { body: value },
      };
      writer.add(picked as never);
    }
    return writer.write({ first: BigInt(from), end: BigInt(from + count) }, declare, signals);
  };
  return { writer, write, letters };
}

const values = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `v${from + at}`);

test('a commit whose answer is lost is not done again, one that was not done is', async () => {
  for (const isDone of [true, false]) {
    const cluster = new MemoryCluster();
    const { write } = writerOf(cluster);
    await write(0, 4);
    let failures = 1;
    cluster.onCommit = (done) => {
      if (failures-- > 0) {
        if (isDone) done();
        throw new KafkaError('broker-unreachable', 'no answer');
      }
      done();
    };
    await write(4, 4);
    assert.deepEqual(cluster.copied.toSorted(), values(0, 8).sort(), `done: ${isDone}`);
  }
});

test('whoever goes on from an older offset leaves out what is there, and its note tells where the target stands', async () => {
  const cluster = new MemoryCluster();
  await writerOf(cluster).write(0, 6);
  const { writer, write } = writerOf(cluster);
  await writer.begin(2n, undefined);
  assert.equal(await write(2, 8), 4);
  assert.deepEqual(cluster.copied.toSorted(), values(0, 10).sort());
  assert.match(writer.note!, /^target=[0-9a-f]{12}:10$/);
  const later = writerOf(cluster);
  assert.equal(await later.write(0, 2), 0);
  assert.match(later.writer.note!, /:10$/, 'the position never goes back');
  await writerOf(cluster).write(9, 1);
  assert.equal(cluster.copied.length, 10);
  await writer.close();
  assert.match(writer.note!, /:10$/, 'kept beside the offset that is committed last');
});

test('one that is fenced, and finds another claim, gives up; one that finds its own goes on', async () => {
  const cluster = new MemoryCluster();
  const [zombie, owner] = [writerOf(cluster), writerOf(cluster)];
  await zombie.write(0, 2);
  await owner.write(2, 2);
  await assert.rejects(zombie.write(2, 4), { code: 'partition-taken-over', retry: true });
  await owner.write(4, 2);
  assert.deepEqual(cluster.copied.toSorted(), values(0, 6).sort());
});

test('a position that is gone or older than what is kept beside the offset, and another number of partitions: nothing is written', async () => {
  const cluster = new MemoryCluster();
  const first = writerOf(cluster);
  await first.write(0, 6);
  const kept = { offset: 6n, note: `${first.writer.note} rules=1` };
  cluster.partitions = 4;
  await assert.rejects(writerOf(cluster).write(6, 1), { code: 'target-changed' });
  cluster.partitions = 3;
  for (const name of [...cluster.logs.keys()]) if (name.startsWith('g.sink-positions')) cluster.logs.delete(name);
  const lost = writerOf(cluster);
  await lost.writer.begin(6n, kept);
  await assert.rejects(lost.write(6, 1), { code: 'positions-lost' });
  assert.equal(cluster.copied.length, 6);
  const accepted = writerOf(cluster, { acceptChanges: true });
  await accepted.writer.begin(6n, kept);
  await accepted.write(6, 1);
  assert.equal(cluster.copied.length, 7);
});

test('what the target does not take is a dead letter, its neighbours are written, and it is told once', async () => {
  const cluster = new MemoryCluster();
  cluster.maxBytes = 200;
  const { write, letters } = writerOf(cluster);
  let failures = 0;
  cluster.onCommit = (done) => {
    if (failures-- > 0) throw new KafkaError('broker-unreachable', 'no answer');
    done();
  };
  await write(0, 3);
  failures = 2;
  await write(3, 1, 200);
  await write(4, 2);
  assert.deepEqual(cluster.copied.toSorted(), [...values(0, 3), ...values(4, 6)].sort());
  assert.deepEqual(letters, [[3n, 'message-too-large']]);
});

const dlt = { topic: 'in.dlt', partition: 1 };

test('a dead letter goes with its batch, once, and one that no dead-letter topic takes is told so before', async () => {
  const cluster = new MemoryCluster();
  const { writer, write } = writerOf(cluster);
  writer.at(1n);
  await writer.append(dlt, { key: 'k', value: Buffer.from('dead') });
  assert.equal(cluster.log(dlt).length, 0);
  await write(0, 3);
  await write(3, 3);
  assert.deepEqual([cluster.log(dlt).length, writer.hasMoves], [1, false]);
  const note = 'x'.repeat(1000);
  for (const large of [
    { key: 'k', value: Buffer.from(note) },
    { key: note, value: null },
    { key: 'k', value: null, headers: { note } },
  ])
    await assert.rejects(writer.append(dlt, large), { code: 'message-too-large' });
  assert.equal(writer.hasMoves, false);
});

test('a dead-letter topic that refuses blames no record of the batch: they wait, and nothing of it is there before', async () => {
  const cluster = new MemoryCluster();
  cluster.refuses = (_topic, value) => value === 'dead';
  const answers: string[] = [];
  const onAnswer: KafkaWriterOptions['onAnswer'] = (outcome) => {
    answers.push(outcome.kind === 'delivered' ? outcome.kind : `${outcome.kind} ${outcome.failure.cause}`);
    assert.equal(cluster.copied.length, outcome.kind === 'delivered' ? 3 : 0);
    if (answers.length === 2) cluster.refuses = () => false;
  };
  const { writer, write, letters } = writerOf(cluster, { onAnswer });
  writer.at(1n);
  await writer.append(dlt, { key: 'k', value: Buffer.from('dead') });
  await write(0, 3);
  assert.deepEqual(answers, [...Array<string>(2).fill('misconfigured topic-unfit'), 'delivered']);
  assert.deepEqual([cluster.log(dlt).length, letters], [1, []]);
});

test('an answer that tells nothing of what was written is no refusal: the position tells', async () => {
  for (const code of ['producer-sequence-broken', 'unexpected-answer'] as const) {
    const cluster = new MemoryCluster();
    const kinds: string[] = [];
    const { write } = writerOf(cluster, { onAnswer: ({ kind }) => kinds.push(kind) });
    await write(0, 1);
    let failures = 1;
    cluster.onCommit = (done) => {
      done();
      if (failures-- > 0) throw new KafkaError(code, 'no answer');
    };
    await write(1, 2);
    assert.deepEqual([kinds, cluster.copied.length], [['delivered', 'retry', 'delivered'], 3]);
  }
});

test('a retried record goes out without the headers of its way, one without a key to a partition that is there', async () => {
  const cluster = new MemoryCluster();
  const { writer } = writerOf(cluster);
  const headers = { 'source-id': Buffer.from('job-1'), [RETRY_HEADER.attempt]: Buffer.from('2') };
  const value = Buffer.from('v');
  const record = { topic: 'in.retry-1', partition: 5, offset: 0n, timestampMs: 0, key: null, value, headers };
  writer.add({ record, state: { picked: true, attempt: 2 }, value: { body: value } } as never);
  await writer.write({ first: 0n, end: 1n }, declare, signals);
  const [copy] = cluster.log({ topic: 'out', partition: 2 });
  assert.deepEqual(Object.keys(copy!.headers), ['source-id']);
});

test('a record that the broker refuses for what it holds is found among its batch', async () => {
  const cluster = new MemoryCluster();
  cluster.refuses = (_topic, value) => value === 'v5';
  const { write, letters } = writerOf(cluster);
  assert.equal(await write(0, 9), 8);
  assert.deepEqual(cluster.copied.toSorted(), [...values(0, 5), ...values(6, 9)].sort());
  assert.deepEqual(letters, [[5n, 'record-refused']]);
});

test('a record that is refused is found where that ends the sends of others, too', async () => {
  const cluster = new MemoryCluster();
  cluster.maxBytes = 1 << 24;
  // The partition of the first ones takes several sends, the last of which find the producer discarded.
  const refused = 8;
  cluster.refuses = (_topic, value) => value.startsWith(`v${refused}`);
  const { write, letters } = writerOf(cluster);
  assert.equal(await write(0, 9, 600 * 1024), 8);
  assert.deepEqual(letters, [[BigInt(refused), 'record-refused']]);
});

test('a position or a claim that its topic refuses blames no record: the circuit opens, and they wait', async () => {
  for (const kind of ['position', 'claim']) {
    const cluster = new MemoryCluster();
    cluster.refuses = (topic, value) => topic.endsWith('sink-positions') && value.includes(`"kind":"${kind}"`);
    const answers: string[] = [];
    const onAnswer: KafkaWriterOptions['onAnswer'] = (outcome) => {
      answers.push(outcome.kind === 'delivered' ? outcome.kind : `${outcome.kind} ${outcome.failure.cause}`);
      if (answers.length === 2) cluster.refuses = () => false;
    };
    const { write, letters } = writerOf(cluster, { onAnswer });
    assert.equal(await write(0, 3), 3);
    assert.deepEqual(answers, [...Array<string>(2).fill('misconfigured record-refused'), 'delivered'], kind);
    assert.deepEqual([cluster.copied.toSorted(), letters], [values(0, 3), []]);
  }
});
