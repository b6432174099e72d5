import { chainStart } from '@genesys-kafka/conversation';
import type { LedgerEntry, SourceIdentity, WindowError } from '@genesys-kafka/ledger';
import { OperationalError } from '@genesys-kafka/resilience';

/** Whose line in the ledger an entry is. */
export type EntryIdentity = Pick<LedgerEntry, 'exportId' | 'generation' | 'connector' | 'contract' | 'window'>;

/** An entry of which nothing is published. */
export function newEntry(identity: EntryIdentity, source?: SourceIdentity): LedgerEntry {
  const { exportId, generation, connector, contract, window } = identity;
  return {
    v: 1,
    kind: 'window',
    exportId,
    generation,
    connector,
    contract,
    window,
    state: 'submitted',
    ...(source ? { source } : {}),
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
