import type { LedgerEntry, RecordCounts, WindowError } from '@genesys-kafka/ledger';

export type SourceStatus = 'done' | 'rejected' | 'partial';

export interface SourceReport {
  /** The argument as given, or the window's id; never with a query string. */
  readonly source: string;
  readonly status: SourceStatus;
  readonly records: number;
  readonly error?: WindowError;
}

/** What `export` and `publish` print with `--json`: a contract. Counts come from the ledger: the whole export, not only this run. */
export interface Report {
  readonly exportId: string;
  readonly windows: number;
  readonly records: RecordCounts;
  readonly bytes: number;
  readonly seconds: number;
  readonly sources: readonly SourceReport[];
}

export const NO_RECORDS: RecordCounts = { read: 0, published: 0, invalid: 0, unchanged: 0 };

export function sumCounts(entries: Iterable<LedgerEntry>): { records: RecordCounts; bytes: number } {
  const sum = { read: 0, published: 0, invalid: 0, unchanged: 0 };
  let bytes = 0;
  for (const entry of entries) {
    sum.read += entry.counts.read;
    sum.published += entry.counts.published;
    sum.invalid += entry.counts.invalid;
    sum.unchanged += entry.counts.unchanged;
    bytes += entry.bytes;
  }
  return { records: sum, bytes };
}

/** 0: all done. 3: finished, but something was rejected, partial or invalid. */
export function exitStatus(report: Report): 0 | 3 {
  const isWhole = report.sources.every((source) => source.status === 'done');
  return isWhole && report.records.invalid === 0 ? 0 : 3;
}
