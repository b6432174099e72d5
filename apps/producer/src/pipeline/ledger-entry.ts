import { chainStart } from '@genesys-kafka/conversation';
import type { LedgerEntry, WindowError } from '@genesys-kafka/ledger';
import { OperationalError } from '@genesys-kafka/resilience';

/** The entry of a window, or an archive, of which nothing has been read. */
export function newWindowEntry(
  facts: Pick<LedgerEntry, 'exportId' | 'generation' | 'connector' | 'contract' | 'window' | 'source'>,
): LedgerEntry {
  return {
    v: 1,
    kind: 'window',
    ...facts,
    state: 'submitted',
    position: { records: 0, chain: chainStart().toString('hex') },
    counts: { read: 0, published: 0, invalid: 0, unchanged: 0 },
    bytes: 0,
    updatedAt: new Date().toISOString(),
  };
}

/** What an entry that ended early is called: `partial` where some of its records are on the topic. */
export function endedState(entry: LedgerEntry): 'rejected' | 'partial' {
  return entry.counts.read > 0 ? 'partial' : 'rejected';
}

/** What the ledger and the report keep of an error; one that nobody expected is thrown. */
export function windowError(error: unknown): WindowError {
  if (!(error instanceof OperationalError)) throw error;
  const { ordinal, offset } = error.details;
  return {
    code: error.code,
    message: error.message,
    ...(typeof ordinal === 'number' ? { ordinal } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
  };
}
