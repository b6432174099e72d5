import type { Delivery } from '@genesys-kafka/delivery';

/**
 * What of a batch goes into its statement: of each key the newest record, since a statement can write a row only once.
 * Ids stand in one order in every statement: two that meet then wait for one another instead of locking each other out.
 */
export function newestOfKeys(batch: readonly Delivery[]): Delivery[] {
  const newest = new Map<string, Delivery>();
  for (const record of batch) {
    const other = newest.get(record.key);
    if (!other || other.recordVersion < record.recordVersion) newest.set(record.key, record);
  }
  return [...newest.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}
