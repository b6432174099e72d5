import type { LedgerEntry, WindowState } from './entries.ts';
import { sumCounts, type RecordCounts } from './record-counts.ts';

/** Where an export stands: its newest generation alone. */
export interface ExportStatus {
  readonly exportId: string;
  readonly contract: string;
  readonly generation: number;
  readonly windows: number;
  readonly states: Partial<Record<WindowState, number>>;
  readonly records: RecordCounts;
  readonly bytes: number;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** Windows that are not done: where they stand and why they stopped. */
  readonly open: readonly OpenWindow[];
}

export type OpenWindow = Pick<LedgerEntry, 'window' | 'state' | 'counts' | 'error' | 'source'>;

/** One status an export, the latest change first. */
export function summarise(entries: readonly LedgerEntry[]): ExportStatus[] {
  const byExport = Map.groupBy(entries, (entry) => entry.exportId);
  return [...byExport.values()].map(statusOf).sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
}

function statusOf(entries: readonly LedgerEntry[]): ExportStatus {
  const generation = Math.max(...entries.map((entry) => entry.generation));
  const current = entries.filter((entry) => entry.generation === generation);
  const states: Partial<Record<WindowState, number>> = {};
  for (const { state } of current) states[state] = (states[state] ?? 0) + 1;
  const { exportId, contract } = current[0]!;
  return {
    exportId,
    contract,
    generation,
    windows: current.length,
    states,
    ...sumCounts(current),
    updatedAt: current.map((entry) => entry.updatedAt).reduce((a, b) => (a > b ? a : b)),
    open: current.filter((entry) => entry.state !== 'done').map(openWindow),
  };
}

function openWindow({ window, state, counts, source, error }: LedgerEntry): OpenWindow {
  return { window, state, counts, ...(source ? { source } : {}), ...(error ? { error } : {}) };
}
