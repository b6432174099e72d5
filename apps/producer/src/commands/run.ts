import { systemClock } from '@genesys-kafka/resilience';
import type { Session } from '@genesys-kafka/runtime';
import { createContext } from '../export/context.ts';
import { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import { connectGenesys } from '../genesys/connect.ts';
import { watchedJobs } from '../genesys/watched-jobs.ts';
import { jobContract } from '../genesys/job-contract.ts';
import { assertFollowable, followOf } from '../run/follow.ts';
import { createRunMetrics } from '../run/run-metrics.ts';
import { Run, type RunReport } from '../run/run.ts';
import type { Settings } from '../settings.ts';
import { checkedQuery } from './arguments.ts';
import { observe } from './observer.ts';
import { sumLine } from './report-lines.ts';
import { acceptedChanges, type TopicOptions } from './topic-options.ts';

/** `producer run`: follows the organisation until SIGTERM; resolves with the exit status. */
export async function runCommand(session: Session<Settings>, options: TopicOptions): Promise<number> {
  const { settings, log, signal } = session;
  const clock = systemClock;
  const query = checkedQuery('genesys.query', settings.genesys.query);
  const follow = followOf(settings, query, clock.nowMs());
  const started: { run?: Run } = {};
  await using observer = await observe(session, () => started.run?.notReady ?? ['starting']);
  const metrics = createRunMetrics(observer.metrics, started);
  await using genesys = connectGenesys(settings, log);
  observer.watchBudget(() => genesys.budget);
  await using fetcher = new ArchiveFetcher(settings, log, observer.onDownload);
  const { contract: name, pageSize } = settings.genesys;
  const asked = jobContract(name, genesys, query, { spool: fetcher, pageSize });
  const contract = watchedJobs(asked, metrics, clock);
  const watched = {
    ...observer,
    onStaged: (bytes: number) => {
      observer.onStaged(bytes);
      started.run?.moved();
    },
    onRecords: (...what: Parameters<typeof observer.onRecords>) => {
      observer.onRecords(...what);
      started.run?.moved();
    },
  };
  const start = { accepted: acceptedChanges(options), signal, changedOnly: true };
  await using context = await createContext(settings, log, watched, start);
  assertFollowable(follow, await context.readEntries(signal), clock.nowMs());
  const run = new Run({
    context,
    contract,
    follow,
    clock,
    maxSkewMs: settings.clock.maxSkewMs,
    log,
    onWindow: (line) => metrics.onWindow(line),
    onShare: (share) => genesys.setBudgetShare(share),
  });
  started.run = run;
  log.info({ from: follow.identity.from, contract: contract.name }, 'following the organisation');
  await session.tell(await run.until(signal), runLines);
  return 0;
}

function runLines({ connector, windows, records, inWork, isWhole }: RunReport): string[] {
  const { done, failed, split } = windows;
  return [
    `${connector}: ${done} windows read, ${failed} failed, ${split} split`,
    `  ${sumLine(records)}, all of it committed`,
    ...(isWhole ? [] : ['  The close was cut short: what was not committed by then is read again.']),
    ...(inWork.length === 0
      ? ['  Nothing was in work.']
      : ['  In work; the next start goes on from what is committed:']),
    ...inWork.map(({ window, jobId }) => `    ${window}${jobId === undefined ? '' : `, job ${jobId}`}`),
  ];
}
