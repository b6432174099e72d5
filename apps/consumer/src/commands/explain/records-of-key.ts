import type { ConsumedRecord, KafkaClient, RecordView } from '@genesys-kafka/kafka';
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
  const wants = ({ bytes, keyFrom, keyTo }: RecordView) =>
    keyTo - keyFrom === wanted.length && bytes.compare(wanted, 0, wanted.length, keyFrom, keyTo) === 0;
  const records: ConsumedRecord[] = [];
  let leftOut = 0;
  let to = first;
  if (first < end) {
    for await (const slice of client.read(target, { from: first, wants, signal, maxWaitMs: 100 })) {
      for (const record of slice.records) if (record.offset < end) records.push(alone(record));
      leftOut += records.splice(0, records.length - MOST_RECORDS).length;
      to = slice.nextOffset < end ? slice.nextOffset : end;
      if (to >= end || clock.monotonicMs() >= deadlineMs) break;
    }
  }
  const span = { ...target, from: String(first), to: String(to), end: String(end), complete: to >= end };
  return { span, records, leftOut };
}

/** A copy: as it came, all that was fetched with it would stay in memory. */
function alone({ topic, partition, offset, timestampMs, key, value, headers }: ConsumedRecord): ConsumedRecord {
  return {
    ...{ topic, partition, offset, timestampMs },
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, Buffer.from(one)])),
  };
}
