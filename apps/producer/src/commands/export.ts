import { planWindows } from '@genesys-kafka/job-poller';
import { createContext } from '../export/context.ts';
import { exitStatus } from '../export/report.ts';
import { runExport, type ExportRequest } from '../export/run-export.ts';
import { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import { connectGenesys } from '../genesys/connect.ts';
import { bulkArchive, detailsJobs } from '../genesys/job-contract.ts';
import type { Settings } from '../settings.ts';
import { ArgumentError, checkedQuery, queryArgument } from './arguments.ts';
import { tellReport } from './print-report.ts';
import { begin, type Common } from './session.ts';

export interface ExportOptions {
  readonly from: Date;
  readonly to: Date;
  readonly contract?: string;
  readonly query?: string;
  readonly window?: number;
  readonly again?: boolean;
}

/** `producer export`: resolves with the exit status. */
export async function exportCommand(common: Common, options: ExportOptions, signal: AbortSignal): Promise<number> {
  await using session = await begin(common, signal);
  const { settings, log, observer } = session;
  const request = toRequest(options, settings);
  const name = contractName(options.contract, settings);
  await using genesys = connectGenesys(settings, log);
  await using fetcher = new ArchiveFetcher(settings, observer.onDownload);
  await using context = await createContext(settings, log, observer);
  const contract =
    name === 'details-jobs'
      ? detailsJobs(genesys, request.query, settings.genesys.pageSize)
      : bulkArchive(genesys, request.query, fetcher);
  const report = await runExport(context, contract, request, signal);
  await tellReport(common, report);
  return exitStatus(report);
}

function toRequest(options: ExportOptions, settings: Settings): ExportRequest {
  const { from, to, window, again = false } = options;
  const query =
    options.query === undefined
      ? checkedQuery('genesys.query', settings.genesys.query)
      : queryArgument('--query', options.query);
  const windows = planWindows({ from, to, sizeMs: window ?? settings.windows.sizeMs });
  return { from, to, windows, query, again, concurrentJobs: settings.genesys.concurrentJobs };
}

function contractName(asked: string | undefined, settings: Settings): 'details-jobs' | 'bulk-archive' {
  const name = asked ?? settings.genesys.contract;
  if (name === 'details-jobs' || name === 'bulk-archive') return name;
  throw new ArgumentError('--contract', `is ${JSON.stringify(name)}; write details-jobs or bulk-archive.`);
}
