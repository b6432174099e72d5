import type { Delivery, DeliveryFailure, DeliveryOutcome } from '@genesys-kafka/delivery';

/** What became of one statement. */
export type Written =
  | { readonly kind: 'delivered' }
  /** For all of its records alike: the server is away, or refuses us. */
  | Exclude<DeliveryOutcome, { readonly kind: 'delivered' | 'rejected' }>
  /** One of its records cannot be stored, or several; which, the server does not tell. */
  | { readonly kind: 'unstorable'; readonly failure: DeliveryFailure };

const DELIVERED: DeliveryOutcome = { kind: 'delivered' };
const NO_KEY: DeliveryOutcome = {
  kind: 'rejected',
  failure: { cause: 'key-missing', reason: 'the record has no key, which would be its id in the table' },
};

/**
 * The outcome of each record of a batch, written by as few statements as it takes: one, as long as each record can be
 * stored. Of several with one key the newest is written, and the older ones with it are done, having been overtaken; where
 * the newest cannot be stored, the next one is. A statement that fails for what is in it is halved until the record
 * at fault stands alone, and that one is rejected. What fails for all ends the work: the rest of the batch would fare
 * no better.
 */
export async function settleBatch(
  batch: readonly Delivery[],
  write: (records: readonly Delivery[]) => Promise<Written>,
): Promise<readonly DeliveryOutcome[]> {
  const outcomes = new Map<Delivery, DeliveryOutcome>();
  let general: DeliveryOutcome | undefined;

  const writeAll = async (records: readonly Delivery[]): Promise<void> => {
    const written = general ?? (await write(records));
    if (written.kind !== 'unstorable') {
      if (written.kind !== 'delivered') general = written;
      for (const record of records) outcomes.set(record, written);
    } else if (records.length === 1) {
      outcomes.set(records[0]!, { kind: 'rejected', failure: written.failure });
    } else {
      const middle = records.length >>> 1;
      await writeAll(records.slice(0, middle));
      await writeAll(records.slice(middle));
    }
  };

  for (const record of batch) if (record.key === '') outcomes.set(record, NO_KEY);
  let waiting = [...Map.groupBy(batch, ({ key }) => key)]
    .filter(([key]) => key !== '')
    .map(([, ofKey]) => newestFirst(ofKey));
  // Ids in one order in every statement: two that meet then wait for one another instead of locking each other out.
  waiting.sort(([one], [other]) => (one!.key < other!.key ? -1 : 1));
  while (waiting.length > 0) {
    await writeAll(waiting.map(([newest]) => newest!));
    waiting = waiting.flatMap(([newest, ...older]) => {
      const outcome = outcomes.get(newest!)!;
      if (outcome.kind === 'rejected') return older.length > 0 ? [older] : [];
      for (const record of older) outcomes.set(record, outcome);
      return [];
    });
  }
  return batch.map((record) => outcomes.get(record) ?? DELIVERED);
}

function newestFirst(ofKey: readonly Delivery[]): Delivery[] {
  return ofKey.toSorted((one, other) => (one.recordVersion < other.recordVersion ? 1 : -1));
}
