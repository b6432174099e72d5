import { planWindows } from '@genesys-kafka/job-poller';
import { systemClock } from '@genesys-kafka/resilience';
import type { Session } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import { assertDividesDay } from '../run/follow.ts';
import { forecast, type Forecast } from '../run/run-forecast.ts';
import type { Settings } from '../settings.ts';
import { span } from './status-lines.ts';

export interface PlanOptions {
  readonly from: Date;
  readonly to: Date;
  readonly perDay?: number;
  readonly recordBytes?: number;
}

/** `producer plan`: what following an interval comes to. Asks nobody, and changes nothing. */
export async function planCommand(session: Session<Settings>, { from, to, ...facts }: PlanOptions): Promise<number> {
  const { settings } = session;
  const { topicPrefix: prefix, partitions: dataPartitions } = settings.kafka;
  const { sizeMs } = settings.windows;
  assertDividesDay(sizeMs);
  const { data, deadLetters, ledger, digests } = topicSpecs({ prefix, dataPartitions });
  const windows = planWindows({ from, to, sizeMs });
  const nowMs = systemClock.nowMs();
  const told = forecast(settings, windows, [data, deadLetters, ledger, digests], { nowMs, ...facts });
  await session.tell(told, planLines);
  return 0;
}

function planLines({ from, to, contract, windows, windowSeconds, lanes, jobs, topics, ...more }: Forecast): string[] {
  const { requests, requestsPerSecond, leastSeconds, usualSeconds, windowRecords = 0, mostRecords } = more;
  return [
    `${from} to ${to} by ${contract}`,
    `  ${windows} windows of ${span(windowSeconds)}, on ${lanes} lanes: so many processes can share them`,
    `  ${jobs.first} jobs, and ${jobs.again} to read windows again`,
    `  ${requests} requests at the least: not less than ${span(leastSeconds)} at ${requestsPerSecond} a second,` +
      ` ${span(usualSeconds)} where Genesys allows 300 a minute`,
    ...(windowRecords > mostRecords
      ? [`  ${windowRecords} records a window, and more than ${mostRecords} are split: take a smaller windows.size`]
      : []),
    diskLine(more),
    `  topics, made where they are missing:`,
    ...topics.map(({ name, partitions }) => `    ${name}, ${partitions} partitions`),
  ];
}

function diskLine({
  archivesInSpool,
  spoolBytes,
  recordBytes,
}: Pick<Forecast, 'archivesInSpool' | 'spoolBytes' | 'recordBytes'>): string {
  if (archivesInSpool === 0) return '  no disk: pages are not spooled';
  const megabytes = Math.max(1, Math.round(spoolBytes / 1e6));
  const what = `${archivesInSpool} archives and what is made of them, for records of ${recordBytes} bytes`;
  return `  about ${megabytes} MB of disk in spool.dir: ${what}`;
}
