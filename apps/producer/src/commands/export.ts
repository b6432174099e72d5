import { planWindows } from '@genesys-kafka/job-poller';
import type { Session } from '@genesys-kafka/runtime';
import { createContext } from '../export/context.ts';
import { exitStatus } from '../export/report.ts';
import { runExport, type ExportRequest } from '../export/run-export.ts';
import { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import { connectGenesys } from '../genesys/connect.ts';
import { jobContract } from '../genesys/job-contract.ts';
import type { Settings } from '../settings.ts';
import { argumentError, checkedQuery, queryArgument } from './arguments.ts';
import { observe } from './observer.ts';
import { reportLines } from './report-lines.ts';
import { acceptedChanges, type TopicOptions } from './topic-options.ts';

export interface ExportOptions extends TopicOptions {
  readonly from: Date;
  readonly to: Date;
  readonly contract?: string;
  readonly query?: string;
  readonly window?: number;
  readonly again?: boolean;
  readonly changedOnly?: boolean;
}

/** `producer export`: resolves with the exit status. */
export async function exportCommand(session: Session<Settings>, options: ExportOptions): Promise<number> {
  const { settings, log, signal } = session;
  await using observer = await observe(session);
  const request = toRequest(options, settings);
  const name = contractName(options.contract, settings);
  await using genesys = connectGenesys(settings, log);
  observer.watchBudget(() => genesys.budget);
  await using fetcher = new ArchiveFetcher(settings, log, observer.onDownload);
  const { changedOnly } = request;
  const start = { accepted: acceptedChanges(options), signal, changedOnly };
  await using context = await createContext(settings, log, observer, start);
  const { pageSize } = settings.genesys;
  const contract = jobContract(name, genesys, request.query, { spool: fetcher, pageSize });
  const report = await runExport(context, contract, request, signal);
  await session.tell(report, reportLines);
  return exitStatus(report);
}

function toRequest(options: ExportOptions, settings: Settings): ExportRequest {
  const { from, to, window, again = false, changedOnly = false } = options;
  const query =
    options.query === undefined
      ? checkedQuery('genesys.query', settings.genesys.query)
      : queryArgument('--query', options.query);
  const windows = planWindows({ from, to, sizeMs: window ?? settings.windows.sizeMs });
  return { from, to, windows, query, again, changedOnly, concurrentJobs: settings.genesys.concurrentJobs };
}

function contractName(asked: string | undefined, settings: Settings): 'details-jobs' | 'bulk-archive' {
  const name = asked ?? settings.genesys.contract;
  if (name === 'details-jobs' || name === 'bulk-archive') return name;
  throw argumentError('--contract', `is ${JSON.stringify(name)}; write details-jobs or bulk-archive.`);
}
