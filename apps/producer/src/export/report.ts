import { sumCounts, type LedgerEntry, type RecordCounts, type WindowError } from '@genesys-kafka/ledger';

/** What came of a window, an archive, or an argument that stands for several. */
export interface SourceOutcome {
  readonly status: 'done' | 'rejected' | 'partial';
  readonly records: number;
  readonly error?: WindowError;
}

export interface SourceReport extends SourceOutcome {
  /** The argument as given, or the window's id; never with a query string. */
  readonly source: string;
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

export function outcomeOf({ state, counts, error }: LedgerEntry): SourceOutcome {
  const status = state === 'done' || state === 'rejected' ? state : 'partial';
  return { status, records: counts.read, ...(error ? { error } : {}) };
}

/** `startedMs` is of `performance.now()`. */
export function reportOf(
  exportId: string,
  entries: readonly LedgerEntry[],
  sources: readonly SourceReport[],
  startedMs: number,
): Report {
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  return { exportId, windows: entries.length, ...sumCounts(entries), seconds, sources };
}

/** 0: all done. 3: finished, but something was rejected, partial or invalid. */
export function exitStatus(report: Report): 0 | 3 {
  const isWhole = report.sources.every((source) => source.status === 'done');
  return isWhole && report.records.invalid === 0 ? 0 : 3;
}
