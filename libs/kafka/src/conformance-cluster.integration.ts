/**
 * What the port promises on three real brokers, one of them slow, and when answers get lost or a broker dies. One broker
 * hides the worst of kafkajs: there, a send over several leaders doubled 40 of 600 records on a healthy cluster.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, suite, test } from 'node:test';
import { retry } from '@genesys-kafka/resilience';
import { startStack, type ChaosProxy, type Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { IMPLEMENTATIONS, newTopic, readAll, record, texts } from '../fixtures/conformance.ts';
import {
  checkCluster,
  KafkaError,
  type GroupConsumer,
  type GroupHandler,
  type KafkaClient,
  type TransactionalProducer,
} from './index.ts';
import { createCluster, protocolError } from './kafkajs/internals.ts';
import { encodeBatch } from './wire/encoded-batch.ts';

const kafkajsBroker = createRequire(import.meta.url)('kafkajs/src/broker') as {
  readonly prototype: { joinGroup(): Promise<unknown>; heartbeat(): Promise<unknown> };
};
const COORDINATOR_LOAD_IN_PROGRESS = 14;
const NOT_COORDINATOR = 16;
const SLOW_MS = 40;
/** Lost answers are waited for no longer; what is answered has to come in this time also on a machine with much to do. */
const IMPATIENT = { requestTimeoutMs: 3000, deliveryTimeoutMs: 8000 };
/** For a machine with much else to do. */
const PATIENCE_MS = 150_000;
const PARTITIONS = [0, 1, 2, 3, 4, 5];
const BACKOFF = { initialMs: 200, factor: 2, maxMs: 2000, jitterMs: 0 };
const RESTARTS = [
  [0, 'stopBroker'],
  [2, 'killBroker'],
] as const;
const ROUNDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

for (const { name, create } of IMPLEMENTATIONS) {
  suite(`${name}: three brokers, one of them slow`, () => {
    let stack: Stack;
    let client: KafkaClient;

    before(async () => {
      stack = await startStack({
        brokers: 3,
        registry: false,
        proxied: true,
        slowBroker: { index: 2, latencyMs: SLOW_MS },
      });
      client = create(stack.brokers);
    });
    after(async () => {
      await client.close();
      await stack.close();
    });

    const slow = (latencyMs: number) => {
      stack.proxies[2]!.set({ toTarget: { latencyMs }, toClient: { latencyMs } });
    };

    test('600 records over 6 partitions in 10 transactions: none lost, none twice, in order', async () => {
      const topic = await newTopic(client, { partitions: PARTITIONS.length });
      const description = await client.admin.describeTopic(topic);
      assert.equal(description?.config['min.insync.replicas'], '2');
      assert.equal(description.replicas, 3);
      const spec = { name: topic, partitions: PARTITIONS.length, config: { 'cleanup.policy': 'delete' } };
      assert.equal(await checkCluster(client, [spec]), '3 brokers, all topics fit');
      assert.equal((await client.admin.brokers()).length, 3);
      // One right after the other: a transaction that follows a commit at once is refused for a moment, and kafkajs's
      // retries of that are where a send over several leaders doubles (880 of 600 here).
      const producer = client.transactionalProducer(`tx-${topic}`);
      for (const round of ROUNDS) {
        const transaction = await producer.begin();
        await Promise.all(
          PARTITIONS.map((partition) => transaction.send({ topic, partition }, batchOf(10, round, partition))),
        );
        await transaction.commit();
      }
      await producer.close();
      for (const partition of PARTITIONS) {
        const expected = ROUNDS.flatMap((round) => batchOf(10, round, partition).map(({ value }) => String(value)));
        assert.deepEqual(texts(await readAll(client, topic, partition)), expected);
      }
    });

    test('an idempotent producer whose answers were lost does not lose the next send, nor doubles it', async () => {
      const topic = await newTopic(client);
      slow(0);
      const impatient = create(stack.brokers, IMPATIENT);
      const producer = impatient.producer();
      await producer.send({ topic, partition: 0 }, [record('first')]);
      for (const proxy of stack.proxies) proxy!.set({ toClient: { drop: true } });
      // It may be in the log or not: its outcome is unknown, and the call says so.
      await assert.rejects(producer.send({ topic, partition: 0 }, [record('lost answer')]), {
        code: 'broker-unreachable',
        retry: true,
      });
      for (const proxy of stack.proxies) proxy!.heal();
      await producer.send({ topic, partition: 0 }, [record('next')]);
      await producer.send({ topic, partition: 0 }, [record('last')]);
      const seen = texts(await readAll(client, topic)).filter((value) => value !== 'lost answer');
      assert.deepEqual(seen, ['first', 'next', 'last']);
      await impatient.close();
      slow(SLOW_MS);
    });

    test('a transaction whose answers were lost ends its producer, and the next instance goes on from the log', async () => {
      const topic = await newTopic(client);
      slow(0);
      const impatient = create(stack.brokers, IMPATIENT);
      const first = impatient.transactionalProducer(`tx-${topic}`);
      const transaction = await first.begin();
      await transaction.send({ topic, partition: 0 }, [record('1')]);
      for (const proxy of stack.proxies) proxy!.set({ toClient: { drop: true } });
      await assert.rejects(transaction.commit());
      for (const proxy of stack.proxies) proxy!.heal();
      await assert.rejects(first.begin(), { code: 'producer-discarded' });
      const started = performance.now();
      await first.close();
      assert.ok(performance.now() - started < IMPATIENT.deliveryTimeoutMs, 'close waits for no answer');
      const second = impatient.transactionalProducer(`tx-${topic}`);
      const next = await second.begin();
      await next.send({ topic, partition: 0 }, [record('2')]);
      await next.commit();
      const seen = texts(await readAll(client, topic));
      // The commit was on its way before its answer was lost: either all of it, or nothing.
      assert.ok(seen.join() === '1,2' || seen.join() === '2', seen.join());
      await impatient.close();
      slow(SLOW_MS);
    });

    test('batches that are under way together while connections break come once and in order', async () => {
      const topic = await newTopic(client, { partitions: PARTITIONS.length });
      let producer = client.transactionalProducer(`tx-${topic}`);
      let doubts = 0;
      for (const round of ROUNDS) {
        const batchesFor = (partition: number) =>
          Promise.all([0, 1, 2, 3, 4].map((at) => encodeBatch(batchOf(4, round * 10 + at, partition), 'zstd')));
        for (;;) {
          try {
            const transaction = await producer.begin();
            // The answers to some are lost, and requests too: another place in each round.
            for (const [index, proxy] of stack.proxies.entries()) breakAfter(proxy!, 1 + round + index);
            await Promise.all(
              PARTITIONS.map(async (partition) =>
                transaction.sendBatches({ topic, partition }, await batchesFor(partition)),
              ),
            );
            for (const proxy of stack.proxies) proxy!.watch(undefined);
            await transaction.commit();
            break;
          } catch {
            // Before the commit: nothing of it can be read. A broker that knows no batch again refuses them all.
            doubts += 1;
            for (const proxy of stack.proxies) proxy!.watch(undefined);
            await producer.close();
            producer = client.transactionalProducer(`tx-${topic}`);
          }
        }
      }
      await producer.close();
      for (const partition of PARTITIONS) {
        const expected = ROUNDS.flatMap((round) =>
          [0, 1, 2, 3, 4].flatMap((at) => batchOf(4, round * 10 + at, partition).map(({ value }) => String(value))),
        );
        assert.deepEqual(texts(await readAll(client, topic, partition)), expected);
      }
      assert.ok(
        doubts <= ROUNDS.length / 2,
        `${doubts} of ${ROUNDS.length} transactions were not brought to their end`,
      );
    });

    test('a broker that is killed moves its leaders: sends, reads and groups go on, each record once', async () => {
      const topic = await newTopic(client, { partitions: PARTITIONS.length });
      const seen = new Map<number, string[]>(PARTITIONS.map((partition) => [partition, []]));
      const finals: Error[] = [];
      const group = await joined(client, topic, finals, () => ({
        onBatch: async (batch) => {
          seen.get(batch.partition)!.push(...batch.records.map(({ value }) => String(value)));
        },
        onRevoked: (partitions) => {
          // Nothing is committed here, so that a new assignment starts from the first record.
          for (const { partition } of partitions) seen.set(partition, []);
        },
      }));
      let producer = client.transactionalProducer(`tx-${topic}`);
      const published: string[][] = PARTITIONS.map(() => []);
      for (let round = 0; round < 8; round += 1) {
        if (round === 3) await stack.killBroker(1);
        if (round === 6) await stack.startBroker(1);
        const marked = (partition: number) => batchOf(5, round, partition);
        // What a publisher does: on any doubt a new instance, and the log decides.
        for (let attempt = 0; ; attempt += 1) {
          try {
            const transaction = await producer.begin();
            await Promise.all(PARTITIONS.map((partition) => transaction.send({ topic, partition }, marked(partition))));
            await transaction.commit();
            break;
          } catch (error) {
            assert.ok(attempt < 5, String(error));
            await producer.close();
            producer = await retry(() => fenced(client, `tx-${topic}`), { attempts: 20, backoff: BACKOFF });
            const log = texts(await readAll(client, topic));
            if (log.includes(String(marked(0)[0]!.value))) break;
          }
        }
        for (const partition of PARTITIONS)
          published[partition]!.push(...marked(partition).map(({ value }) => String(value)));
      }
      for (const partition of PARTITIONS) {
        const log = texts(await readAll(client, topic, partition)).filter((value) => value!.includes('.'));
        assert.deepEqual(log, published[partition]);
      }
      const end = performance.now() + PATIENCE_MS;
      const complete = () =>
        PARTITIONS.every((partition) => {
          const records = seen.get(partition)!.filter((value) => value.includes('.'));
          return records.join() === published[partition]!.join();
        });
      while (!complete() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(finals, []);
      assert.ok(complete(), `the group saw ${JSON.stringify([...seen.values()].map(({ length }) => length))}`);
      await Promise.all([group.stop(), producer.close()]);
    });

    test('a group whose coordinator is killed, and stays away, commits at the next one; what was asked for before does not land', async () => {
      const topic = await newTopic(client);
      const groupId = `g-${topic}`;
      const group = client.groupConsumer({ groupId, topics: [topic] });
      await group.start({
        onBatch: async (batch, assignment) => {
          // What is not committed comes again.
          if (assignment.isCurrent())
            await group.commit([{ ...batch, offset: batch.nextOffset }]).catch(() => undefined);
        },
        onCrash: (error) => assert.fail(error),
      });
      const producer = client.producer();
      const publishAndCommit = async (end: bigint) => {
        await retry(() => producer.send({ topic, partition: 0 }, [record('1')]), { attempts: 20, backoff: BACKOFF });
        const endMs = performance.now() + PATIENCE_MS;
        while (((await client.admin.groupCommits(groupId, topic)).get(0)?.offset ?? 0n) < end) {
          assert.ok(performance.now() < endMs, `${end} is not committed`);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      await publishAndCommit(1n);
      const coordinator = await coordinatorOf(groupId, stack.brokers);
      await stack.killBroker(coordinator);
      const overtaken = assert.rejects(group.commit([{ topic, partition: 0, offset: 0n }]), {
        code: 'rebalance-in-progress',
      });
      await publishAndCommit(2n);
      await overtaken;
      assert.equal((await client.admin.groupCommits(groupId, topic)).get(0)?.offset, 2n);
      await stack.startBroker(coordinator);
      await Promise.all([group.stop(), producer.close()]);
    });

    test('a group whose joining fails once, as at a coordinator that is loading, joins again and reads on', async (t) => {
      const topic = await newTopic(client);
      const seen: string[] = [];
      const group = client.groupConsumer({ groupId: `g-${topic}`, topics: [topic] });
      await group.start({
        onBatch: async ({ records }) => void seen.push(...records.map(({ value }) => String(value))),
        onCrash: (error) => assert.fail(error),
      });
      const failing = (code: number) => () => Promise.reject(protocolError(code));
      const joining = t.mock.method(kafkajsBroker.prototype, 'joinGroup');
      joining.mock.mockImplementationOnce(failing(COORDINATOR_LOAD_IN_PROGRESS));
      t.mock.method(kafkajsBroker.prototype, 'heartbeat').mock.mockImplementationOnce(failing(NOT_COORDINATOR));
      await waitFor('the first joining', () => joining.mock.callCount() > 0);
      const producer = client.producer();
      await producer.send({ topic, partition: 0 }, [record('next')]);
      await waitFor('the record', () => seen.includes('next'));
      await Promise.all([group.stop(), producer.close()]);
    });

    test('a rolling restart, clean and hard, passes under a group that commits: nothing lost, order kept', async () => {
      const topic = await newTopic(client, { partitions: PARTITIONS.length });
      slow(0);
      const seen = new Map<number, string[]>(PARTITIONS.map((partition) => [partition, []]));
      const expected = new Map<number, bigint>();
      const finals: Error[] = [];
      const group = await joined(client, topic, finals, (member) => ({
        onBatch: async (batch, assignment) => {
          const { partition, records, nextOffset } = batch;
          // Between two assignments a place may go back to what was committed, never ahead of what was seen.
          const place = expected.get(partition) ?? 0n;
          assert.ok(batch.from <= place, `${partition}: from ${batch.from}, ${place} expected`);
          const fresh = records.filter(({ offset }) => offset >= place);
          seen.get(partition)!.push(...fresh.map(({ value }) => String(value)));
          if (nextOffset > place) expected.set(partition, nextOffset);
          if (assignment.isCurrent()) await member.commit([{ ...batch, offset: nextOffset }]).catch(() => undefined);
        },
      }));
      const producer = client.producer();
      const published: string[][] = PARTITIONS.map(() => []);
      const publish = async (round: number) => {
        for (const partition of PARTITIONS) {
          const values = batchOf(5, round, partition);
          await retry(() => producer.send({ topic, partition }, values), { attempts: 20, backoff: BACKOFF });
          published[partition]!.push(...values.map(({ value }) => String(value)));
        }
      };
      for (const [round, [broker, down]] of RESTARTS.entries()) {
        await publish(round);
        await stack[down](broker);
        await publish(round + 10);
        const meanwhile = await client.admin.describeTopic(await newTopic(client));
        assert.equal(meanwhile?.replicas, 3, 'made while a broker was away, and for good');
        const [first] = await client.admin.offsets(topic);
        assert.equal(first?.first, 0n);
        await stack.startBroker(broker);
      }
      const end = performance.now() + PATIENCE_MS;
      const left = () =>
        PARTITIONS.filter((partition) => new Set(seen.get(partition)).size < published[partition]!.length);
      while (left().length > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(finals, []);
      for (const partition of PARTITIONS) {
        // A send whose answer was lost is repeated: told by its value.
        assert.deepEqual([...new Set(seen.get(partition))], published[partition]);
      }
      await Promise.all([group.stop(), producer.close()]);
      slow(SLOW_MS);
    });
  });
}

function batchOf(size: number, round: number, partition: number) {
  return Array.from({ length: size }, (_, at) => record(`${round}.${partition}.${at}`));
}

/** A member that does what a route does: after a failure that may be waited out it joins again. Others are `finals`. */
async function joined(
  client: KafkaClient,
  topic: string,
  finals: Error[],
  handlerOf: (member: GroupConsumer) => Omit<GroupHandler, 'onCrash'>,
): Promise<Pick<GroupConsumer, 'stop'>> {
  let member: GroupConsumer;
  const start = async () => {
    member = client.groupConsumer({ groupId: `g-${topic}`, topics: [topic] });
    await member.start({ ...handlerOf(member), onCrash: (error) => void again(error) });
  };
  const again = async (error: Error) => {
    if (!(error instanceof KafkaError) || !error.retry) finals.push(error);
    else await member.stop().then(start).catch(again);
  };
  await start();
  return { stop: () => member.stop() };
}

/** A new instance of the producer, and nothing of the one before it is open. */
async function fenced(client: KafkaClient, id: string): Promise<TransactionalProducer> {
  const producer = client.transactionalProducer(id);
  try {
    await (await producer.begin()).abort();
    return producer;
  } catch (error) {
    await producer.close();
    throw error;
  }
}

/** Resets the connection that brings the answer after so many more, and goes on from there. */
function breakAfter(proxy: ChaosProxy, answers: number): void {
  let left = answers;
  proxy.watch(({ direction }) => {
    if (direction === 'toTarget') return undefined;
    left -= 1;
    return left === 0 ? 'reset' : 'forward';
  });
}

async function waitFor(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(performance.now() < endMs, `${what} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The index of the broker that is the group's coordinator. */
async function coordinatorOf(groupId: string, brokers: readonly string[]): Promise<number> {
  const cluster = createCluster(new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }));
  await cluster.connect();
  try {
    // Node ids are counted from 1.
    return (await cluster.findGroupCoordinator({ groupId })).nodeId - 1;
  } finally {
    await cluster.disconnect();
  }
}
