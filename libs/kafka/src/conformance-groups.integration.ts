/** What the port promises of consumer groups, on one real broker. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startStack, type Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { IMPLEMENTATIONS, newTopic, record } from '../fixtures/conformance.ts';
import { join, lostOf, until } from '../fixtures/group-member.ts';
import { KafkaError, type GroupHandler, type KafkaClient } from './index.ts';

/** Of kafkajs alone: it reads the headers of each record by `readVarIntArray`, and a group stays alive by `heartbeat`. */
const kafkajsDecoder = createRequire(import.meta.url)('kafkajs/src/protocol/decoder') as {
  readonly prototype: { readVarIntArray(): unknown };
};
const kafkajsBroker = createRequire(import.meta.url)('kafkajs/src/broker') as {
  readonly prototype: { heartbeat: (this: unknown, request: HeartbeatRequest) => Promise<unknown> };
};

interface HeartbeatRequest {
  readonly memberId: string;
}

for (const { name, create } of IMPLEMENTATIONS) {
  suite(`${name}: consumer groups`, () => {
    let stack: Stack;
    let client: KafkaClient;

    before(async () => {
      stack = await startStack({ registry: false });
      client = create(stack.brokers);
    });
    after(async () => {
      await client.close();
      await stack.close();
    });

    const produce = async (topic: string, values: readonly string[], partition = 0) => {
      const producer = client.producer();
      await producer.send(
        { topic, partition },
        values.map((value) => record(value)),
      );
      await producer.close();
    };

    test('a new group starts at the earliest offset, and goes on where it committed', async () => {
      const topic = await newTopic(client);
      const group = `g-${topic}`;
      await produce(topic, ['1', '2', '3']);
      const first = await join(client, group, [topic]);
      await until('three records', () => first.seen.length === 3);
      await until('the commit', async () => (await client.admin.groupCommits(group, topic)).get(0)?.offset === 3n);
      await first.consumer.stop();
      assert.deepEqual(first.events, ['assigned 1', 'revoked 1']);
      await produce(topic, ['4']);
      const second = await join(client, group, [topic]);
      await until('the fourth record', () => second.seen.length > 0);
      assert.deepEqual(second.seen, ['4']);
      await second.consumer.stop();
    });

    test('what was not committed is delivered again, and nothing is delivered twice in between', async () => {
      const topic = await newTopic(client);
      const group = `g-${topic}`;
      await produce(topic, ['1', '2']);
      const idle = async () => undefined;
      const first = await join(client, group, [topic], { onBatch: idle });
      await until('two records', () => first.seen.length === 2);
      await produce(topic, ['3']);
      await until('the third', () => first.seen.length === 3);
      await delay(1000);
      assert.deepEqual(first.seen, ['1', '2', '3']);
      await first.consumer.stop();
      assert.equal((await client.admin.groupCommits(group, topic)).size, 0);
      const second = await join(client, group, [topic]);
      await until('all of them', () => second.seen.length === 3);
      await second.consumer.stop();
    });

    test('commits reach the end of a transactional topic, markers and aborted records included', async () => {
      const topic = await newTopic(client);
      const group = `g-${topic}`;
      const member = await join(client, group, [topic]);
      const producer = client.transactionalProducer(`tx-${topic}`);
      const kept = await producer.begin();
      await kept.send({ topic, partition: 0 }, [record('1')]);
      await kept.commit();
      await until('the record', () => member.seen.length === 1);
      const aborted = await producer.begin();
      await aborted.send({ topic, partition: 0 }, [record('gone')]);
      await aborted.abort();
      // The abort is answered before its marker is written, so the end may still move. Two records, two markers.
      const committed = async () => (await client.admin.groupCommits(group, topic)).get(0)?.offset;
      await until('the end', async () => (await committed()) === 4n);
      assert.equal((await client.admin.offsets(topic))[0]!.end, 4n);
      assert.deepEqual(member.seen, ['1']);
      await Promise.all([member.consumer.stop(), producer.close()]);
    });

    test('a partition whose handler is slow holds up neither its neighbours nor the membership', async () => {
      const topic = await newTopic(client, { partitions: 2 });
      const gate = Promise.withResolvers<undefined>();
      const member = await join(client, `g-${topic}`, [topic], {
        onBatch: async (_, batch) => {
          if (batch.partition === 0) await gate.promise;
        },
      });
      await produce(topic, ['slow'], 0);
      await until('the slow one', () => member.seen.includes('slow'));
      for (let at = 0; at < 5; at += 1) {
        await produce(topic, [`fast-${at}`], 1);
        await until(`fast-${at}`, () => member.seen.includes(`fast-${at}`));
        await produce(topic, [`behind-${at}`], 0);
      }
      // Longer than the session time-out of 6 s.
      await delay(7000);
      assert.deepEqual(member.events, ['assigned 2']);
      assert.ok(!member.seen.some((value) => value.startsWith('behind')));
      gate.resolve(undefined);
      await until('what waited behind', () => member.seen.filter((value) => value.startsWith('behind')).length === 5);
      await member.consumer.stop();
    });

    test('a second member takes over half; what is in hand is no longer current; nothing is lost', async () => {
      const topic = await newTopic(client, { partitions: 4 });
      const group = `g-${topic}`;
      const current: (() => boolean)[] = [];
      const first = await join(client, group, [topic], {
        onBatch: async ({ consumer }, batch, assignment) => {
          current.push(() => assignment.isCurrent());
          if (assignment.isCurrent()) await consumer.commit([{ ...batch, offset: batch.nextOffset }]);
        },
      });
      for (const partition of [0, 1, 2, 3]) await produce(topic, [`a${partition}`], partition);
      await until('all four', async () => (await client.admin.groupCommits(group, topic)).size === 4);
      assert.ok(current.every((isCurrent) => isCurrent()));
      const second = await join(client, group, [topic]);
      await until('two and two', () => first.assigned.length === 2 && second.assigned.length === 2);
      assert.deepEqual([...first.assigned, ...second.assigned].sort(), [0, 1, 2, 3]);
      assert.ok(!current.some((isCurrent) => isCurrent()));
      // It may rejoin once alone, before the second one has come.
      assert.match(first.events.join(', '), /^(assigned 4, revoked 4, (lost 4, )?)+lost 2, assigned 2$/);
      const foreign = second.assigned[0]!;
      await assert.rejects(first.consumer.commit([{ topic, partition: foreign, offset: 0n }]), (error) => {
        assert.ok(error instanceof KafkaError);
        return error.code === 'partition-not-assigned';
      });
      for (const partition of [0, 1, 2, 3]) await produce(topic, [`b${partition}`], partition);
      await until('the rest', () => first.seen.length + second.seen.length === 8);
      assert.deepEqual([...first.seen, ...second.seen].sort(), ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3']);
      await second.consumer.stop();
      await until('all of them back', () => first.assigned.length === 4);
      await first.consumer.stop();
    });

    test('what is finished when a rebalance begins is committed, and not delivered again', async () => {
      const topic = await newTopic(client, { partitions: 4 });
      const group = `g-${topic}`;
      const partitions = [0, 1, 2, 3];
      for (const partition of partitions) await produce(topic, ['1', '2', '3', '4', '5'], partition);
      const finished = new Map<number, bigint>();
      const commits: Promise<void>[] = [];
      const seen: string[] = [];
      const first = client.groupConsumer({ groupId: group, topics: [topic], sessionTimeoutMs: 6000 });
      await first.start({
        onBatch: async ({ partition, records, nextOffset }) => {
          seen.push(...records.map(({ value }) => String(value)));
          finished.set(partition, nextOffset);
        },
        onRevoked: (revoked) => {
          commits.push(first.commit(revoked.map((target) => ({ ...target, offset: finished.get(target.partition)! }))));
        },
        onCrash: (error) => assert.fail(error),
      });
      await until('all of them', () => seen.length === 20);
      const second = await join(client, group, [topic]);
      await until('its part', () => second.assigned.length === 2);
      await commits[0];
      for (const partition of partitions) await produce(topic, ['6'], partition);
      await until('the last ones', () => seen.length + second.seen.length >= 24);
      assert.deepEqual([...seen.slice(20), ...second.seen], ['6', '6', '6', '6']);
      await second.consumer.stop();
      await first.stop();
      await Promise.allSettled(commits);
    });

    test('a member that was put out and comes back is told that others may have had its partitions', async (t) => {
      const topic = await newTopic(client, { partitions: 2 });
      const group = `g-${topic}`;
      const { heartbeat } = kafkajsBroker.prototype;
      let [own, isSilent] = [undefined as unknown, false];
      t.mock.method(kafkajsBroker.prototype, 'heartbeat', async function (this: unknown, request: HeartbeatRequest) {
        own ??= request.memberId;
        if (!isSilent || request.memberId !== own) await heartbeat.call(this, request);
      });
      const first = await join(client, group, [topic]);
      await until('a heartbeat', () => own !== undefined);
      const second = await join(client, group, [topic]);
      await until('a share for each', () => first.assigned.length === 1 && second.assigned.length === 1);
      assert.deepEqual(lostOf(first), ['lost 1'], 'what it keeps when another one comes is not lost');
      isSilent = true;
      await until('all of them', () => second.assigned.length === 2);
      const before = first.events.length;
      isSilent = false;
      await until('its part again', () => first.events.slice(before).includes('assigned 1'));
      assert.equal(first.events[before], 'lost 1', 'before it could commit');
      await until('the rest for the other one', () => second.assigned.length === 1);
      // It kept one of its two, and lost the other one.
      assert.deepEqual(lostOf(second), ['lost 1']);
      await first.consumer.stop();
      await second.consumer.stop();
    });

    test('pause holds a partition and no other; resume goes on without a gap; seek goes back', async () => {
      const topic = await newTopic(client, { partitions: 2 });
      const member = await join(client, `g-${topic}`, [topic], { onBatch: async () => undefined });
      await produce(topic, ['1'], 0);
      await until('the first', () => member.seen.length === 1);
      member.consumer.pause([{ topic, partition: 0 }]);
      await produce(topic, ['2', '3'], 0);
      await produce(topic, ['other'], 1);
      await until('the other partition', () => member.seen.includes('other'));
      await delay(500);
      assert.deepEqual(member.seen, ['1', 'other']);
      member.consumer.resume([{ topic, partition: 0 }]);
      await until('the rest', () => member.seen.length === 4);
      assert.deepEqual(member.seen, ['1', 'other', '2', '3']);
      member.consumer.seek({ topic, partition: 0 }, 1n);
      await until('again', () => member.seen.length === 6);
      assert.deepEqual(member.seen.slice(4), ['2', '3']);
      assert.deepEqual(member.events, ['assigned 2']);
      await member.consumer.stop();
    });

    test('after a seek on assignment nothing from before it is delivered', async () => {
      const topic = await newTopic(client);
      await produce(topic, ['1', '2', '3', '4']);
      const seen: string[] = [];
      const consumer = client.groupConsumer({ groupId: `g-${topic}`, topics: [topic] });
      await consumer.start({
        onBatch: async (batch) => {
          seen.push(...batch.records.map(({ value }) => String(value)));
        },
        onAssigned: () => consumer.seek({ topic, partition: 0 }, 2n),
        onCrash: (error) => assert.fail(error),
      });
      await until('the tail', () => seen.length >= 2);
      await delay(300);
      assert.deepEqual(seen, ['3', '4']);
      await consumer.stop();
    });

    test('stop lets the handler finish and commit what it has in hand', async () => {
      const topic = await newTopic(client);
      const group = `g-${topic}`;
      await produce(topic, ['1']);
      const stopping = Promise.withResolvers<undefined>();
      const member = await join(client, group, [topic], {
        onBatch: async ({ consumer }, batch, assignment) => {
          await stopping.promise;
          assert.ok(assignment.isCurrent());
          await consumer.commit([{ ...batch, offset: batch.nextOffset }]);
        },
      });
      await until('the record', () => member.seen.length === 1);
      const stopped = member.consumer.stop();
      stopping.resolve(undefined);
      await stopped;
      assert.deepEqual(member.crashes, []);
      assert.equal((await client.admin.groupCommits(group, topic)).get(0)?.offset, 1n);
    });

    test('a handler that fails, and a batch that cannot be read, are surfaced as a crash', async () => {
      const topic = await newTopic(client);
      await produce(topic, ['1']);
      const failing = await join(client, `g-${topic}`, [topic], {
        onBatch: () => Promise.reject(new Error('a bug in the handler')),
      });
      await until('the crash', () => failing.crashes.length > 0);
      assert.match(failing.crashes[0]!.message, /a bug in the handler/);
      assert.deepEqual(failing.events, ['assigned 1', 'revoked 1']);
      await failing.consumer.stop();

      // The other partition is in the middle of its work, and paused, when the unreadable batch comes.
      const bomb = await newTopic(client, { partitions: 2 });
      const careful = create(stack.brokers, { maxDecompressedBytes: 1024 * 1024 });
      const gate = Promise.withResolvers<undefined>();
      const member = await join(careful, `g-${bomb}`, [bomb], { onBatch: () => gate.promise });
      await produce(bomb, ['1']);
      await until('the first', () => member.seen.length === 1);
      await produce(bomb, ['behind']);
      await delay(500);
      await produce(bomb, ['x'.repeat(4 * 1024 * 1024)], 1);
      await until('the crash', () => member.crashes.length > 0);
      const [crash] = member.crashes;
      assert.ok(crash instanceof KafkaError);
      assert.equal(crash.code, 'decompression-limit');
      // A broker that is slow to answer may rebalance the group once more before that.
      assert.match(member.events.join(), /^assigned 2,revoked 2(,assigned 2,revoked 2)*$/);
      gate.resolve(undefined);
      await careful.close();
    });

    test('a record with 12,000 headers goes by like any other', async (t) => {
      // The client's own decoder copies all headers before each further one: nothing of a record may come to it.
      const decoded = t.mock.method(kafkajsDecoder.prototype, 'readVarIntArray');
      const topic = await newTopic(client);
      const headers = Object.fromEntries(Array.from({ length: 12_000 }, (_, at) => [`h${at}`, 'v']));
      // As it could be decoded by the client: uncompressed.
      const producer = create(stack.brokers, { compression: 'none' }).producer();
      await producer.send({ topic, partition: 0 }, [{ ...record('many'), headers }, record('next')]);
      await producer.close();
      let count = 0;
      const member = await join(client, `g-${topic}`, [topic], {
        onBatch: async (_, batch) => {
          count += Object.keys(batch.records[0]?.headers ?? {}).length;
        },
      });
      await until('both', () => {
        assert.equal(decoded.mock.callCount(), 0);
        return member.seen.length === 2;
      });
      assert.equal(count, 12_000);
      await member.consumer.stop();
    });

    test('an offset that the log does not hold is told, not reset; a seek goes on from there', async () => {
      const topic = await newTopic(client);
      const group = `g-${topic}`;
      await produce(topic, ['1', '2']);
      const first = await join(client, group, [topic]);
      await until('both', async () => (await client.admin.groupCommits(group, topic)).get(0)?.offset === 2n);
      await first.consumer.commit([{ topic, partition: 0, offset: 700n }]);
      await first.consumer.stop();
      const froms: bigint[] = [];
      const second = await join(client, group, [topic], {
        onBatch: async ({ consumer }, batch) => {
          froms.push(batch.from);
          if (batch.outOfRange) consumer.seek(batch, 1n);
        },
      });
      await until('what is there', () => second.seen.length === 1);
      assert.deepEqual([froms[0], froms.at(-1), second.seen], [700n, 1n, ['2']]);
      assert.equal((await client.admin.groupCommits(group, topic)).get(0)?.offset, 700n);
      await second.consumer.stop();
    });

    test('a member goes on with its heartbeats when the clock is set back by an hour', async (t) => {
      const topic = await newTopic(client);
      const member = await join(client, `g-${topic}`, [topic]);
      const { mock } = t.mock.method(kafkajsBroker.prototype, 'heartbeat');
      await until('a heartbeat', () => mock.callCount() > 0);
      const now = Date.now.bind(Date);
      t.mock.method(Date, 'now', () => now() - 3_600_000);
      const before = mock.callCount();
      await until('heartbeats after that', () => mock.callCount() > before + 1);
      assert.deepEqual(member.events, ['assigned 1']);
      await member.consumer.stop();
    });

    test('a topic that is deleted and made again has another id', async () => {
      const topic = await newTopic(client);
      const id = await client.admin.topicId(topic);
      assert.match(id ?? '', /^[0-9a-f]{32}$/);
      assert.equal(await client.admin.topicId(topic), id);
      const admin = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
      await until('no topic', async () => (await client.admin.topicId(topic)) === undefined);
      await client.admin.createMissing([{ name: topic, partitions: 1, config: {} }]);
      await until('an id', async () => (await client.admin.topicId(topic)) !== undefined);
      assert.notEqual(await client.admin.topicId(topic), id);
    });

    test('a topic that is not there and a broker that is not there fail the start', async () => {
      const missing = client.groupConsumer({ groupId: `g-${randomUUID()}`, topics: [`missing-${randomUUID()}`] });
      const handler: GroupHandler = { onBatch: async () => undefined, onCrash: () => assert.fail() };
      await assert.rejects(missing.start(handler), { code: 'topic-missing' });
      const nowhere = create(['127.0.0.1:1']);
      const lost = nowhere.groupConsumer({ groupId: 'g', topics: ['t'] });
      await assert.rejects(lost.start(handler), { code: 'broker-unreachable' });
      await nowhere.close();
    });
  });
}
