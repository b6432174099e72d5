/**
 * What the port promises of producers, transactions and the partition reader, on one real broker. Groups and three
 * brokers have files of their own. Written against the port, so that a second client can be put through it.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { startStack, type Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { IMPLEMENTATIONS, newTopic, readAll, readUntil, record, text, texts } from '../fixtures/conformance.ts';
import { KafkaError, type KafkaClient, type KafkaErrorCode, type PartitionOffsets } from './index.ts';
import { BatchBuilder, EncodedHeaders } from './wire/index.ts';

const code = (expected: KafkaErrorCode) => (error: unknown) => {
  assert.ok(error instanceof KafkaError, String(error));
  assert.equal(error.code, expected, error.message);
  return true;
};

for (const { name, create } of IMPLEMENTATIONS) {
  suite(`${name}: producers and reader`, () => {
    let stack: Stack;
    let client: KafkaClient;
    const startClient = (options = {}) => create(stack.brokers, options);

    before(async () => {
      stack = await startStack({ registry: false });
      client = startClient();
    });
    after(async () => {
      await client.close();
      await stack.close();
    });

    test('a committed transaction is read with keys, headers, timestamps and the end of the log', async () => {
      const topic = await newTopic(client, { partitions: 2 });
      const producer = client.transactionalProducer(`tx-${topic}`);
      const before = Date.now();
      const transaction = await producer.begin();
      await Promise.all([
        transaction.send({ topic, partition: 0 }, [
          {
            key: 'grün',
            value: Buffer.from('a'),
            headers: { text: 'ü', bytes: Buffer.from([0, 255]), none: undefined },
          },
          { key: Buffer.from([1, 2]), value: null },
          { key: null, value: Buffer.from('c') },
        ]),
        transaction.send({ topic, partition: 1 }, [record('d')]),
      ]);
      await transaction.commit();
      const records = await readUntil(client, topic, ({ length }) => length === 3);
      assert.deepEqual(
        records.map(({ offset, key, value }) => [offset, key?.toString('hex'), value?.toString()]),
        [
          [0n, Buffer.from('grün').toString('hex'), 'a'],
          [1n, '0102', undefined],
          [2n, undefined, 'c'],
        ],
      );
      const { headers, timestampMs } = records[0]!;
      assert.deepEqual(headers, { text: Buffer.from('ü'), bytes: Buffer.from([0, 255]) });
      assert.ok(timestampMs >= before && timestampMs <= Date.now() + 1000, `timestamp ${timestampMs}`);
      assert.deepEqual(texts(await readUntil(client, topic, ({ length }) => length === 1, 1)), ['d']);
      // Three records and the commit marker.
      assert.deepEqual(await client.admin.offsets(topic), [
        { partition: 0, first: 0n, end: 4n },
        { partition: 1, first: 0n, end: 2n },
      ]);
      await producer.close();
    });

    test('begin() of a second instance fences the first: what it has open can never be committed', async () => {
      const topic = await newTopic(client);
      const first = client.transactionalProducer(`tx-${topic}`);
      const open = await first.begin();
      await open.send({ topic, partition: 0 }, [record('zombie')]);
      const second = client.transactionalProducer(`tx-${topic}`);
      const rightful = await second.begin();
      await assert.rejects(open.commit(), code('producer-fenced-or-timed-out'));
      await rightful.send({ topic, partition: 0 }, [record('rightful')]);
      await rightful.commit();
      assert.deepEqual(texts(await readAll(client, topic)), ['rightful']);
      await assert.rejects(first.begin(), code('producer-discarded'));
      await Promise.all([first.close(), second.close()]);
    });

    test('a fenced producer cannot send either, and one that is made but has not begun fences nobody', async () => {
      const topic = await newTopic(client);
      const first = client.transactionalProducer(`tx-${topic}`);
      const idle = client.transactionalProducer(`tx-${topic}`);
      const open = await first.begin();
      await open.send({ topic, partition: 0 }, [record('kept')]);
      await open.commit();
      await (await idle.begin()).abort();
      const late = await first.begin();
      await assert.rejects(late.send({ topic, partition: 0 }, [record('late')]), code('producer-fenced-or-timed-out'));
      assert.deepEqual(texts(await readAll(client, topic)), ['kept']);
      await Promise.all([first.close(), idle.close()]);
    });

    test('aborted records are never read, whatever lies around them, and the reader passes over them', async () => {
      const topic = await newTopic(client);
      const producer = client.transactionalProducer(`tx-${topic}`);
      const other = client.transactionalProducer(`tx2-${topic}`);
      const sent: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        // Two producers with a transaction open at once; one of them aborts.
        const [mine, theirs] = [await producer.begin(), await other.begin()];
        await mine.send({ topic, partition: 0 }, [record(`mine-${round}-1`), record(`mine-${round}-2`)]);
        await theirs.send({ topic, partition: 0 }, [record(`theirs-${round}`)]);
        await mine.send({ topic, partition: 0 }, [record(`mine-${round}-3`)]);
        if (round % 2 === 0) {
          await Promise.all([mine.abort(), theirs.commit()]);
          sent.push(`theirs-${round}`);
        } else {
          await Promise.all([mine.commit(), theirs.abort()]);
          sent.push(`mine-${round}-1`, `mine-${round}-2`, `mine-${round}-3`);
        }
      }
      assert.deepEqual(texts(await readAll(client, topic)), sent);
      const [{ end: from }] = (await client.admin.offsets(topic)) as [PartitionOffsets];
      const last = await producer.begin();
      await last.send({ topic, partition: 0 }, [record('gone')]);
      await last.abort();
      // The record and the marker: the abort is answered before its marker is written.
      for await (const slice of client.read({ topic, partition: 0 }, { from, signal: AbortSignal.timeout(120_000) })) {
        assert.deepEqual(texts(slice.records), []);
        if (slice.nextOffset < from + 2n) continue;
        assert.equal(slice.lastStableOffset, from + 2n);
        break;
      }
      await Promise.all([producer.close(), other.close()]);
    });

    test("reading to one's own nonce shows one's own commits behind another id's open transaction", async () => {
      const topic = await newTopic(client);
      const mine = client.transactionalProducer(`mine-${topic}`);
      await (await mine.begin()).abort();
      const dead = client.transactionalProducer(`dead-${topic}`);
      const never = await dead.begin();
      await never.send({ topic, partition: 0 }, [record('never')]);
      await dead.close();
      const nonce = randomUUID();
      for (const value of ['1', '2', nonce]) {
        const transaction = await mine.begin();
        await transaction.send({ topic, partition: 0 }, [record(value)]);
        await transaction.commit();
      }
      // The trap this guards against: at this moment the last stable offset is still below the commits.
      assert.equal((await client.admin.offsets(topic))[0]!.end, 0n);
      // That it is so can be seen: at least what was sent lies behind it.
      assert.ok((await client.admin.hidden(topic)).get(0)! >= 4n);
      const reading = readUntil(client, topic, (records) => text(records.at(-1)) === nonce);
      // Whoever begins as the other id ends what that had open.
      const next = client.transactionalProducer(`dead-${topic}`);
      await (await next.begin()).abort();
      assert.deepEqual(texts(await reading), ['1', '2', nonce]);
      await Promise.all([mine.close(), next.close()]);
    });

    test('sends to one partition keep their order, also many transactions in a row', async () => {
      const topic = await newTopic(client, { partitions: 3 });
      const producer = client.transactionalProducer(`tx-${topic}`);
      for (let round = 0; round < 10; round += 1) {
        const transaction = await producer.begin();
        const partitions = [0, 1, 2].map(async (partition) => {
          await transaction.send({ topic, partition }, [record(`${round}.0`), record(`${round}.1`)]);
          await transaction.send({ topic, partition }, [record(`${round}.2`)]);
        });
        await Promise.all(partitions);
        await transaction.commit();
      }
      const expected = Array.from({ length: 30 }, (_, at) => `${Math.floor(at / 3)}.${at % 3}`);
      for (const partition of [0, 1, 2]) assert.deepEqual(texts(await readAll(client, topic, partition)), expected);
      await producer.close();
    });

    test('two sends to one partition at once, and a commit below a send, are bugs and refused', async () => {
      const topic = await newTopic(client);
      const producer = client.transactionalProducer(`tx-${topic}`);
      const transaction = await producer.begin();
      const first = transaction.send({ topic, partition: 0 }, [record('1')]);
      await assert.rejects(transaction.send({ topic, partition: 0 }, [record('2')]), { name: 'AssertionError' });
      await assert.rejects(transaction.commit(), { name: 'AssertionError' });
      await first;
      await transaction.commit();
      await assert.rejects(transaction.send({ topic, partition: 0 }, [record('3')]), { name: 'AssertionError' });
      assert.deepEqual(texts(await readAll(client, topic)), ['1']);
      await producer.close();
    });

    for (const compression of ['zstd', 'gzip', 'none'] as const) {
      test(`${compression} goes through both ways, with records larger than a fetch`, async () => {
        const own = startClient({ compression });
        const topic = await newTopic(own, { config: { 'max.message.bytes': String(8 * 1024 * 1024) } });
        const values = [randomBytes(5 * 1024 * 1024), Buffer.alloc(1024 * 1024, 'genesys '), Buffer.alloc(0)];
        const producer = own.transactionalProducer(`tx-${topic}`);
        for (const value of values) {
          const transaction = await producer.begin();
          await transaction.send({ topic, partition: 0 }, [{ key: 'k', value }]);
          await transaction.commit();
        }
        const read = await readAll(own, topic);
        assert.equal(read.length, values.length);
        for (const [at, value] of values.entries()) assert.ok(read[at]!.value!.equals(value), `value ${at}`);
        await own.close();
      });
    }

    for (const compression of ['zstd', 'gzip', 'none'] as const) {
      test(`batches that were made before, ${compression}, lie in the log like records that are sent`, async () => {
        const topic = await newTopic(client, { partitions: 2 });
        const producer = client.transactionalProducer(`tx-${topic}`);
        const common = new EncodedHeaders({ source: 's', window: 'w' });
        const build = async (from: number, count: number) => {
          const builder = new BatchBuilder(undefined, common);
          for (let n = from; n < from + count; n += 1) {
            builder.add({
              key: `k${n}`,
              value: [Buffer.from('frame '), Buffer.alloc(2000, `${n} `)],
              headers: { n: `${n}` },
            });
          }
          return builder.build(compression);
        };
        const batches = [await build(0, 300), await build(300, 1), await build(301, 99)];
        const beforeMs = Date.now();
        const transaction = await producer.begin();
        await transaction.sendBatches({ topic, partition: 0 }, batches);
        await transaction.sendBatches({ topic, partition: 1 }, [batches[0]!]);
        await transaction.send({ topic, partition: 0 }, [{ key: 'last', value: null }]);
        await transaction.commit();
        const aborted = await producer.begin();
        await aborted.sendBatches({ topic, partition: 0 }, [batches[0]!]);
        await aborted.abort();
        const read = await readAll(client, topic);
        assert.equal(read.length, 401);
        for (const [n, { key, value, headers, timestampMs }] of read.slice(0, 400).entries()) {
          assert.equal(String(key), `k${n}`);
          assert.deepEqual(value, Buffer.concat([Buffer.from('frame '), Buffer.alloc(2000, `${n} `)]));
          assert.deepEqual(
            Object.entries(headers).map(([name, text]) => `${name} ${String(text)}`),
            ['source s', 'window w', `n ${n}`],
          );
          assert(timestampMs >= beforeMs && timestampMs <= Date.now());
        }
        await producer.close();
      });
    }

    test('a batch that unpacks to more than the limit is an error and not a full memory', async () => {
      const topic = await newTopic(client);
      const producer = client.producer();
      await producer.send({ topic, partition: 0 }, [record(Buffer.alloc(8 * 1024 * 1024))]);
      await producer.close();
      const careful = startClient({ maxDecompressedBytes: 1024 * 1024 });
      try {
        await assert.rejects(
          readUntil(careful, topic, () => true),
          code('decompression-limit'),
        );
      } finally {
        await careful.close();
      }
    });

    test('a message that is too large is told apart, and ends the producer; its transaction goes when that is closed', async () => {
      const topic = await newTopic(client, { partitions: 2, config: { 'max.message.bytes': '100000' } });
      const patient = startClient({ transactionTimeoutMs: 600_000 });
      const transactional = patient.transactionalProducer(`tx-${topic}`);
      const transaction = await transactional.begin();
      await transaction.send({ topic, partition: 1 }, [record('in vain')]);
      const large = [record(randomBytes(200_000))];
      await assert.rejects(transaction.send({ topic, partition: 0 }, large), code('message-too-large'));
      await assert.rejects(transaction.commit(), code('producer-discarded'));
      await assert.rejects(transaction.send({ topic, partition: 0 }, [record('x')]), code('producer-discarded'));
      await transactional.close();
      const stableEnd = async () => (await client.admin.offsets(topic)).find(({ partition }) => partition === 1)?.end;
      // The transaction's time is longer.
      const endMs = performance.now() + 120_000;
      while ((await stableEnd()) !== 2n) assert.ok(performance.now() < endMs, 'readers wait for an open transaction');
      await patient.close();
      const producer = client.producer();
      await assert.rejects(producer.send({ topic, partition: 0 }, large), code('message-too-large'));
      await producer.send({ topic, partition: 0 }, [record('small')]);
      await producer.close();
      assert.deepEqual(texts(await readAll(client, topic)), ['small']);
    });

    test('an idempotent producer takes many sends at once, and keeps the order of each partition', async () => {
      const topic = await newTopic(client, { partitions: 2 });
      const producer = client.producer();
      const sends = Array.from({ length: 100 }, (_, at) =>
        producer.send({ topic, partition: at % 2 }, [record(String(at))]),
      );
      await Promise.all(sends);
      await producer.close();
      await assert.rejects(producer.send({ topic, partition: 0 }, [record('x')]), code('client-closed'));
      for (const partition of [0, 1]) {
        const expected = Array.from({ length: 50 }, (_, at) => String(at * 2 + partition));
        assert.deepEqual(texts(await readAll(client, topic, partition)), expected);
      }
    });

    test('a topic, a partition and a broker that are not there are told apart', async () => {
      const topic = await newTopic(client);
      await Promise.all([
        assert.rejects(
          readUntil(client, `missing-${randomUUID()}`, () => true),
          code('topic-missing'),
        ),
        assert.rejects(
          readUntil(client, topic, () => true, 7),
          code('topic-missing'),
        ),
      ]);
      const nowhere = create(['127.0.0.1:1']);
      await assert.rejects(
        nowhere.admin.brokers(),
        (error) => code('broker-unreachable')(error) && String(error).includes(':1)'),
      );
      await nowhere.close();
    });

    test('a topic that is deleted is missing, and no other one is', async () => {
      const [kept, gone] = [await newTopic(client), await newTopic(client)];
      for (const topic of [kept, gone]) await client.admin.offsets(topic);
      const admin = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [gone] });
      await admin.disconnect();
      await assert.rejects(async () => {
        // A broker learns of it at its own time.
        for (;;) await client.admin.offsets(gone);
      }, code('topic-missing'));
      assert.equal((await client.admin.offsets(kept)).length, 1);
    });

    test('an offset that retention has passed is told apart', async () => {
      const topic = await newTopic(client);
      await assert.rejects(async () => {
        for await (const slice of client.read({ topic, partition: 0 }, { from: 10n }))
          assert.fail(String(slice.nextOffset));
      }, code('offset-out-of-range'));
    });

    test('a reader at the end polls on, sees what comes, and stops with its signal', async () => {
      const topic = await newTopic(client);
      const stop = new AbortController();
      const producer = client.producer();
      let idle = 0;
      const seen: string[] = [];
      const reading = (async () => {
        const options = { from: 'start', signal: stop.signal, maxWaitMs: 50 } as const;
        for await (const slice of client.read({ topic, partition: 0 }, options)) {
          if (slice.records.length === 0) idle += 1;
          if (idle === 2) await producer.send({ topic, partition: 0 }, [record('late')]);
          seen.push(...texts(slice.records).map(String));
          if (seen.length > 0) stop.abort(new Error('enough'));
        }
      })();
      await assert.rejects(reading, /enough/);
      assert.deepEqual(seen, ['late']);
      await producer.close();
    });

    test('topics are created with their settings once, described, and left alone afterwards', async () => {
      const spec = { name: `created-${randomUUID()}`, partitions: 5, config: { 'cleanup.policy': 'compact' } };
      assert.equal(await client.admin.describeTopic(spec.name), undefined);
      assert.deepEqual(await client.admin.createMissing([spec]), [spec.name]);
      const other = { ...spec, partitions: 1, config: { 'cleanup.policy': 'delete' } };
      assert.deepEqual(await client.admin.createMissing([other]), []);
      const described = await client.admin.describeTopic(spec.name);
      assert.equal(described?.partitions, 5);
      assert.equal(described.config['cleanup.policy'], 'compact');
      assert.equal(described.config['compression.type'], 'producer');
      const refused = { name: `refused-${randomUUID()}`, partitions: 1, config: { 'no.such.setting': '1' } };
      await assert.rejects(client.admin.createMissing([refused]), code('topic-refused'));
    });
  });
}
