import type { ConsumedRecord, KafkaClient, RecordView, TopicPartition } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { partitionFor } from '@genesys-kafka/topics';

/** How far a partition was read. */
export interface ReadSpan {
  readonly topic: string;
  readonly partition: number;
  readonly from: string;
  /** Every record before this offset was looked at … */
  readonly to: string;
  /** … and here the log ended when the reading began. */
  readonly end: string;
  readonly complete: boolean;
}

export interface Found {
  readonly span: ReadSpan | undefined;
  readonly records: readonly ConsumedRecord[];
  /** The earliest ones are left out where they are more than are kept. */
  readonly leftOut: number;
}

export interface Search {
  readonly client: Pick<KafkaClient, 'read' | 'admin'>;
  /** When to stop looking, by the monotonic clock. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Records of one key that are shown; a conversation has as many as it has versions. */
const MOST_RECORDS = 50;

/** The records of a key in a topic: of its partitions, the one that the key is in. Nothing where there is no topic. */
export async function recordsOfKey(topic: string, key: string, search: Search): Promise<Found> {
  const { client, deadlineMs, clock, signal } = search;
  const description = await client.admin.describeTopic(topic);
  if (!description) return { span: undefined, records: [], leftOut: 0 };
  const target = { topic, partition: partitionFor(key, description.partitions) };
  const known = (await client.admin.offsets(topic)).find(({ partition }) => partition === target.partition);
  const { first, end } = known ?? { first: 0n, end: 0n };
  const wanted = Buffer.from(key);
  const offsets: bigint[] = [];
  const visit = ({ bytes, keyFrom, keyTo, offset }: RecordView) => {
    if (keyTo - keyFrom !== wanted.length || offset >= end) return;
    if (bytes.compare(wanted, 0, wanted.length, keyFrom, keyTo) === 0) offsets.push(offset);
  };
  let to = first;
  if (first < end) {
    for await (const { nextOffset } of client.read(target, { from: first, visit, signal, maxWaitMs: 100 })) {
      to = nextOffset < end ? nextOffset : end;
      if (to >= end || clock.monotonicMs() >= deadlineMs) break;
    }
  }
  const kept = offsets.slice(-MOST_RECORDS);
  const records = await Promise.all(kept.map(async (offset) => recordAt(target, offset, search)));
  return {
    span: { ...target, from: String(first), to: String(to), end: String(end), complete: to >= end },
    records: records.filter((record) => record !== undefined),
    leftOut: offsets.length - kept.length,
  };
}

async function recordAt(
  target: TopicPartition,
  offset: bigint,
  { client, signal }: Search,
): Promise<ConsumedRecord | undefined> {
  for await (const { records, nextOffset } of client.read(target, { from: offset, signal, maxWaitMs: 100 })) {
    const found = records.find((record) => record.offset === offset);
    if (found || nextOffset > offset) return found;
  }
  return undefined;
}
