import type { LedgerEntry, WindowError } from '@genesys-kafka/ledger';
import { OperationalError } from '@genesys-kafka/resilience';
import { redactText } from '@genesys-kafka/runtime';

/** What an entry that ended early is called: `partial` where some of its records are on the topic. */
export function endedState(entry: LedgerEntry): 'rejected' | 'partial' {
  return entry.counts.read > 0 ? 'partial' : 'rejected';
}

/** What the ledger and the report keep of an error, without query strings and tokens that its words may quote; one that nobody expected is thrown. */
export function windowError(error: unknown): WindowError {
  if (!(error instanceof OperationalError)) throw error;
  const { ordinal, offset } = error.details;
  return {
    code: error.code,
    message: redactText(error.message),
    ...(typeof ordinal === 'number' ? { ordinal } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
  };
}
