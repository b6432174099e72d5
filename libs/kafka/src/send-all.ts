import type { OutgoingRecord, TopicPartition, Transaction } from './port.ts';

/** One partition's records within a transaction. */
export interface PartitionRecords {
  readonly target: TopicPartition;
  readonly records: readonly OutgoingRecord[];
}

/**
 * Sends to many partitions at once, each in a send of its own (docs/exactly-once.md, rule 1). Settles when all of them
 * have, failed ones too: nothing else may be done with a transaction before. Rejects with the first failure.
 */
export async function sendAll(transaction: Transaction, parts: readonly PartitionRecords[]): Promise<void> {
  const results = await Promise.allSettled(parts.map(async ({ target, records }) => transaction.send(target, records)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason as Error;
}
