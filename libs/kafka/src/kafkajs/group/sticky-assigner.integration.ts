import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startStack, uniquePrefix, type Stack } from '@genesys-kafka/testing';
import type { GroupConsumer, KafkaClient } from '../../port.ts';
import { createKafkaClient } from '../client.ts';

let stack: Stack;
let client: KafkaClient;

before(async () => {
  stack = await startStack();
  client = createKafkaClient({ clientId: 'sticky-test', brokers: stack.brokers });
});

after(async () => {
  await client.close();
  await stack.close();
});

/** A member of a group that keeps what it holds, and what it was given, time after time. */
interface Member {
  readonly consumer: GroupConsumer;
  readonly given: number[][];
}

async function join(groupId: string, topic: string): Promise<Member> {
  const consumer = client.groupConsumer({ groupId, topics: [topic], keepsPartitions: true, sessionTimeoutMs: 10_000 });
  const given: number[][] = [];
  await consumer.start({
    onBatch: async () => undefined,
    onAssigned: (partitions) => {
      consumer.pause(partitions);
      given.push(partitions.map(({ partition }) => partition).sort((a, b) => a - b));
    },
    onCrash: (error) => assert.fail(error),
  });
  return { consumer, given };
}

const last = ({ given }: Member) => given.at(-1) ?? [];

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not within 2 minutes: ${what}`);
}

test('members keep what they hold: a third one takes its share, and when it goes nothing of theirs moves', async () => {
  const topic = `${uniquePrefix()}shares`;
  await client.admin.createMissing([{ name: topic, partitions: 12, config: {} }]);
  const group = uniquePrefix();
  const members = [await join(group, topic), await join(group, topic)];
  const shares = (sizes: readonly number[]) =>
    members.map((member) => last(member).length).join() === sizes.join() && new Set(members.flatMap(last)).size === 12;
  await until(() => shares([6, 6]), 'six each');
  const before = members.map(last);
  members.push(await join(group, topic));
  await until(() => shares([4, 4, 4]), 'four each');
  const between = members.map(last);
  for (const [index, held] of before.entries()) {
    assert(
      between[index]!.every((partition) => held.includes(partition)),
      'more moved than had to',
    );
  }
  await members.pop()!.consumer.stop();
  await until(() => shares([6, 6]), 'six each again');
  for (const [index, member] of members.entries()) {
    assert(
      between[index]!.every((partition) => last(member).includes(partition)),
      'something moved that need not',
    );
  }
  await Promise.all(members.map(({ consumer }) => consumer.stop()));
});
