import { readToEnd, type KafkaClient } from '@genesys-kafka/kafka';
import { bodyOf, topicSpecs } from '@genesys-kafka/topics';
import { Kafka, logLevel } from 'kafkajs';
import { ContentsCounter, type Contents } from './contents.ts';

/** Topic that a run publishes to, under a prefix of its own. */
export function topicOf(prefix: string): string {
  return topicSpecs({ prefix }).data.name;
}

/** As the product makes it. */
export async function makeTopic(client: KafkaClient, prefix: string): Promise<void> {
  await client.admin.createMissing([topicSpecs({ prefix }).data]);
}

/** What a read_committed reader finds under a prefix. `framed`: in Confluent's wire format, five bytes before each value. */
export async function readBack(
  client: KafkaClient,
  prefix: string,
  { framed, signal }: { readonly framed: boolean; readonly signal: AbortSignal },
): Promise<Contents> {
  const topic = topicOf(prefix);
  const description = await client.admin.describeTopic(topic);
  const counter = new ContentsCounter();
  for (let partition = 0; partition < (description?.partitions ?? 0); partition += 1) {
    for await (const { records } of readToEnd(client, { topic, partition }, { signal })) {
      for (const { key, value } of records) counter.add(String(key), bodyOf(value!, framed ? 'confluent' : 'none'));
    }
  }
  return counter.contents();
}

/** The disk would fill up otherwise, and the page cache. */
export async function deleteTopics(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
    await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
