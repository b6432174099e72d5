import type { Window } from '@genesys-kafka/job-poller';
import { ProducerError } from '../errors.ts';
import type { JobContract, Query } from '../genesys/job-contract.ts';
import type { ProducerContext } from './context.ts';
import { inExportLane, type ExportLane } from './export-lane.ts';
import { stableId } from './identity.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { outcomeOf, reportOf, type Report } from './report.ts';
import { runWindow } from './run-window.ts';

export interface ExportRequest {
  readonly from: Date;
  readonly to: Date;
  /** The interval, cut. */
  readonly windows: readonly Window[];
  readonly query: Query;
  readonly again: boolean;
  /** Publishes of each window only what is not as it was published last. */
  readonly changedOnly: boolean;
  /** How many windows are worked on at once. */
  readonly concurrentJobs: number;
}

/**
 * Runs and finishes one export: every window of its interval once, from where the ledger stands.
 * Rejects for what ends the run (exit status 1) or for bad usage (2); windows that fail alone are in the report.
 */
export async function runExport(
  context: ProducerContext,
  contract: JobContract,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<Report> {
  const startedMs = performance.now();
  const { connector } = context;
  const { from, to, windows, query, again, changedOnly, concurrentJobs } = request;
  const exportId = stableId({ connector, contract: contract.name, from, to, query });
  const identity = { exportId, contract: contract.name, again, changedOnly };
  const entries = await inExportLane(context, identity, signal, async (lane) => {
    assertSameWindows(exportId, windows, lane);
    return mapConcurrently(windows, concurrentJobs, lane.signal, async (window, windowSignal) =>
      runWindow(lane, contract, window, context, windowSignal),
    );
  });
  const sources = entries.map((entry) => ({ source: entry.window, ...outcomeOf(entry) }));
  return reportOf(exportId, entries, sources, startedMs);
}

/** Two slicings of one interval would publish its records twice. */
function assertSameWindows(exportId: string, windows: readonly Window[], { committed }: ExportLane): void {
  const planned = new Set(windows.map((window) => window.id));
  if ([...committed.keys()].every((window) => planned.has(window))) return;
  const what = `Export ${exportId} was begun with another --window, and its windows are in the ledger.`;
  throw new ProducerError('other-windows', what);
}
