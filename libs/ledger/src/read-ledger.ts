import { readToEnd, type KafkaClient, type TopicPartition } from '@genesys-kafka/kafka';
import { applyRecord, isNoWindow, type LedgerLine } from './entries.ts';

/** The committed ledger of all connectors, as of the reading. */
export interface LedgerView {
  readonly entries: readonly LedgerLine[];
  /** Offsets that lie behind a transaction which is still open: what they hold cannot be told yet. */
  readonly hidden: number;
}

/**
 * Reads every partition of the ledger; nothing where the topic does not exist. Changes nothing, claims nothing. Waits
 * up to a minute for transactions that are open, and then says how much they hide (docs/exactly-once.md, rule 17).
 * Rejects with a KafkaError, with the LedgerError `ledger-unreadable`, or with the signal's reason.
 */
export async function readLedger(
  client: Pick<KafkaClient, 'admin' | 'read'>,
  topic: string,
  signal: AbortSignal,
): Promise<LedgerView> {
  const partitions = (await client.admin.describeTopic(topic))?.partitions ?? 0;
  const views = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => readPartition(client, { topic, partition }, signal)),
  );
  return {
    entries: views.flatMap((view) => view.entries),
    hidden: views.reduce((sum, view) => sum + view.hidden, 0),
  };
}

async function readPartition(
  client: Pick<KafkaClient, 'read'>,
  target: TopicPartition,
  signal: AbortSignal,
): Promise<LedgerView> {
  const entries = new Map<string, LedgerLine>();
  let hidden = 0;
  for await (const slice of readToEnd(client, target, { signal })) {
    hidden = Math.max(0, Number(slice.highWatermark - slice.nextOffset));
    for (const record of slice.records) if (!isNoWindow(record)) applyRecord(entries, record);
  }
  return { entries: [...entries.values()], hidden };
}
