import { readToEnd, type ConsumedRecord, type KafkaClient } from '@genesys-kafka/kafka';
import { bodyOf, topicSpecs } from '@genesys-kafka/topics';

export interface ReadBack {
  /** Records of the data topic, and how many of them are there more than once by source and ordinal. */
  readonly published: number;
  readonly twice: number;
  /** Of these, what each of the demo's routes has to take. */
  readonly forRoute: Readonly<Record<string, number>>;
  /** Dead letters of the producer and of the consumer, each once. */
  readonly invalid: number;
  readonly deadLetters: number;
}

/** What a read_committed reader finds: the topics themselves, not what the programs say of them. */
export async function readBack(client: KafkaClient, prefix: string): Promise<ReadBack> {
  const { data, deadLetters } = topicSpecs({ prefix });
  const records = new Set<string>();
  let published = 0;
  let voice = 0;
  for await (const record of readTopic(client, data.name)) {
    published += 1;
    if (hasVoice(record)) voice += 1;
    records.add(`${text(record, 'source-id')}:${text(record, 'ordinal')}`);
  }
  const invalid = new Set<string>();
  const given = new Set<string>();
  for await (const record of readTopic(client, deadLetters.name)) {
    const origin = ['origin-source', 'origin-ordinal', 'origin-topic', 'origin-partition', 'origin-offset', 'route'];
    const letters = text(record, 'framing') === 'none' ? invalid : given;
    letters.add(origin.map((name) => text(record, name)).join('/'));
  }
  const forRoute = { voice, everything: published };
  return { published, twice: published - records.size, forRoute, invalid: invalid.size, deadLetters: given.size };
}

/** The rule of the route `voice`, written once more and without CEL. */
function hasVoice({ value }: ConsumedRecord): boolean {
  const record = JSON.parse(bodyOf(value!, 'confluent').toString()) as {
    participants?: { sessions?: { mediaType?: string }[] }[];
  };
  return (record.participants ?? []).some((one) => (one.sessions ?? []).some(({ mediaType }) => mediaType === 'voice'));
}

async function* readTopic(client: KafkaClient, topic: string): AsyncGenerator<ConsumedRecord> {
  const description = await client.admin.describeTopic(topic);
  for (let partition = 0; partition < (description?.partitions ?? 0); partition += 1) {
    for await (const slice of readToEnd(client, { topic, partition })) yield* slice.records;
  }
}

function text(record: ConsumedRecord, header: string): string {
  return record.headers[header]?.toString() ?? '';
}
