import { planWindows, type Window } from '@genesys-kafka/job-poller';
import { windowKey, withLane, type ClaimedLane, type LedgerEntry } from '@genesys-kafka/ledger';
import { OtherWindowsError } from '../errors.ts';
import type { JobContract, Query } from '../genesys/job-contract.ts';
import { boundedAll } from './bounded-all.ts';
import type { ProducerContext } from './context.ts';
import { stableId } from './identity.ts';
import { sumCounts, type Report, type SourceReport } from './report.ts';
import { runWindow } from './window-run.ts';

export interface ExportRequest {
  readonly from: Date;
  readonly to: Date;
  readonly windowMs: number;
  readonly query: Query;
  /** Asks for a new generation: everything is read and published again. */
  readonly again: boolean;
}

/**
 * Plans, runs and finishes one export: every window of its interval once, from where the ledger stands.
 * Rejects for what ends the run (exit status 1) or for bad usage (2); windows that fail alone are in the report.
 */
export async function runExport(
  context: ProducerContext,
  contract: JobContract,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<Report> {
  const startedMs = performance.now();
  const { connector } = context.settings;
  const { from, to, query } = request;
  const exportId = stableId({ connector, contract: contract.name, from, to, query });
  const windows = planWindows({ from, to, sizeMs: request.windowMs });
  const generationOf = once((lane: ClaimedLane) => chooseGeneration(lane, request.again));

  const entries = await withLane(context.lane(exportId, signal), async (lane, publisher) => {
    const generation = generationOf(lane);
    assertSameWindows(exportId, generation, windows, lane);
    return boundedAll(
      windows,
      context.settings.genesys.concurrentJobs,
      AbortSignal.any([signal, publisher.signal]),
      async (window, windowSignal) => {
        const committed = lane.entries.get(windowKey(exportId, generation, window.id));
        const windowContext = { ...context.window(publisher), exportId, generation, connector, contract };
        const entry = await runWindow(windowContext, window, committed, windowSignal);
        context.onSourceEnded(entry);
        return entry;
      },
    );
  });

  return {
    exportId,
    windows: windows.length,
    ...sumCounts(entries),
    seconds: Math.round(performance.now() - startedMs) / 1000,
    sources: entries.map(windowReport),
  };
}

/** The newest generation goes on; `--again` begins the next one. */
export function chooseGeneration(lane: ClaimedLane, again: boolean): number {
  let newest = 0;
  for (const entry of lane.entries.values()) newest = Math.max(newest, entry.generation);
  return again ? newest + 1 : Math.max(newest, 1);
}

export function windowReport(entry: LedgerEntry): SourceReport {
  return { source: entry.window, ...outcome(entry) };
}

export function outcome(entry: LedgerEntry): Omit<SourceReport, 'source'> {
  const status = entry.state === 'done' || entry.state === 'rejected' ? entry.state : 'partial';
  return { status, records: entry.counts.read, ...(entry.error ? { error: entry.error } : {}) };
}

/** Two slicings of one interval would publish its records twice. */
function assertSameWindows(exportId: string, generation: number, windows: readonly Window[], lane: ClaimedLane): void {
  const planned = new Set(windows.map((window) => windowKey(exportId, generation, window.id)));
  for (const [key, entry] of lane.entries) {
    if (entry.generation === generation && !planned.has(key)) throw new OtherWindowsError(exportId);
  }
}

/** A generation is chosen at the first claim: claiming again after a doubt must not begin another one. */
export function once<A, R>(choose: (argument: A) => R): (argument: A) => R {
  let chosen: { readonly value: R } | undefined;
  return (argument) => (chosen ??= { value: choose(argument) }).value;
}
