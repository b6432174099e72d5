import { readToEnd, type KafkaClient, type TopicPartition } from '@genesys-kafka/kafka';
import { LedgerError } from './errors.ts';

/**
 * What the ledger says of the topic that it keeps account of: by this, topics that were made anew or changed behind its
 * back are known. One line for the whole ledger, in its first partition.
 */
export interface TopicsEntry {
  readonly v: 1;
  readonly kind: 'topics';
  /** Partitions of the data topic: a key's partition follows from them. */
  readonly partitions: number;
  /** First offsets of the ledger's partitions that were accepted, where it had lost records; else 0 each. */
  readonly ledgerStarts?: readonly string[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

export const TOPICS_PREFIX = 'topics/';

export function topicsKey(data: string): string {
  return TOPICS_PREFIX + data;
}

/** Where the line lies. */
export function topicsPartition(ledger: string): TopicPartition {
  return { topic: ledger, partition: 0 };
}

/**
 * The last committed line, or undefined where there is none: it is the first that is written to a ledger. Waits for what is hidden
 * behind an open transaction only where none is found in front of it. Raises `ledger-unreadable`.
 */
export async function readTopicsEntry(
  client: Pick<KafkaClient, 'read'>,
  { data, ledger }: { readonly data: string; readonly ledger: string },
  signal?: AbortSignal,
): Promise<TopicsEntry | undefined> {
  const key = topicsKey(data);
  let found: TopicsEntry | undefined;
  for await (const slice of readToEnd(client, topicsPartition(ledger), signal ? { signal } : {})) {
    for (const record of slice.records) {
      if (record.key?.toString() !== key) continue;
      found = record.value === null ? undefined : decode(key, record.value);
    }
    if (found && slice.nextOffset >= slice.lastStableOffset) return found;
  }
  return found;
}

function decode(key: string, value: Buffer): TopicsEntry {
  let parsed: Partial<TopicsEntry>;
  try {
    parsed = (JSON.parse(value.toString()) ?? {}) as Partial<TopicsEntry>;
  } catch {
    throw unreadable(key, 'it is not JSON');
  }
  const { v, kind, partitions } = parsed;
  if (v !== 1) throw unreadable(key, `its version is ${JSON.stringify(v)}, this program knows 1`);
  if (kind !== 'topics' || !Number.isInteger(partitions)) throw unreadable(key, 'it is no line about topics');
  return parsed as TopicsEntry;
}

function unreadable(key: string, reason: string): LedgerError {
  return new LedgerError('ledger-unreadable', `The ledger entry ${JSON.stringify(key)} cannot be read: ${reason}.`);
}
