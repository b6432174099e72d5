import type { FollowPlan, Window } from '@genesys-kafka/job-poller';
import type { TopicSpec } from '@genesys-kafka/topics';
import { sizeOf } from '../genesys/job-contract.ts';
import type { Settings } from '../settings.ts';
import { laneOf } from './follow.ts';

/** Of a job that is waited for, at the least: that it runs, and that it is done. */
const LEAST_POLLS = 2;

/** What a job asks of the budget besides its pages: its submit and the polls. */
const PER_JOB = 1 + LEAST_POLLS;

/** docs/genesys-cloud.md, "Rate limits". */
const TOKEN_PER_MINUTE = 300;

/** Of a usual conversation, as JSON (docs/benchmarks.md). */
const RECORD_BYTES = 8000;
/** What is left of it in a ZIP, or in batches for Kafka: a seventh in the benchmark. */
const COMPRESSED = 0.2;

/** What following an interval comes to, as far as it can be told without asking anybody. */
export interface Forecast {
  readonly from: string;
  readonly to: string;
  readonly contract: string;
  readonly windows: number;
  readonly windowSeconds: number;
  /** Lanes, and so processes that can work on it side by side. */
  readonly lanes: number;
  /** One a reading: the first ones, and those again by `windows.rereads`. */
  readonly jobs: { readonly first: number; readonly again: number };
  /** At the least, of the budget: submits, two polls each, and pages where it is known how many records there are. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** What `genesys.requestsPerSecond` alone takes for all of them … */
  readonly leastSeconds: number;
  /** … and the limit of a token that Genesys has not raised. */
  readonly usualSeconds: number;
  /** Archives that may lie in the spool directory at a time; none by pages. */
  readonly archivesInSpool: number;
  /** What they, and the batches that are made of them, take of the disk, for records of `recordBytes` as JSON. */
  readonly spoolBytes: number;
  readonly recordBytes: number;
  /** Records of a window, where it is known how many there are, and how many it has at most before it is split. */
  readonly windowRecords?: number;
  readonly mostRecords: number;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

interface ForecastFacts {
  readonly nowMs: number;
  /** Conversations of a day. Where nobody knows a job counts as one page, and an archive as full. */
  readonly perDay?: number | undefined;
  /** A record's length as JSON. */
  readonly recordBytes?: number | undefined;
}

/** Raises `query-size`. */
export function forecast(
  settings: Settings,
  windows: readonly Window[],
  topics: readonly TopicSpec[],
  { nowMs, perDay, recordBytes = RECORD_BYTES }: ForecastFacts,
): Forecast {
  const { genesys, connector, kafka } = settings;
  const { sizeMs, rereads, maxRecords } = settings.windows;
  const { contract, requestsPerSecond, concurrentJobs, pageSize, query } = genesys;
  const isArchives = contract === 'bulk-archive';
  const mostRecords = isArchives ? Math.min(maxRecords, sizeOf(query) - 1) : maxRecords;
  const first = windows.length;
  const again = windows.reduce((sum, { to }) => sum + readingsAgain(rereads, Math.max(0, nowMs - to.getTime())), 0);
  const windowRecords = perDay === undefined ? undefined : Math.ceil(perDay * (sizeMs / 86_400_000));
  const pages = isArchives ? 0 : Math.max(1, Math.ceil((windowRecords ?? 0) / pageSize));
  const archivesInSpool = isArchives ? Math.min(concurrentJobs, first) : 0;
  const archiveBytes = recordBytes * Math.min(windowRecords ?? mostRecords, mostRecords);
  const staged = kafka.compression === 'none' ? 1 : COMPRESSED;
  const requests = (first + again) * (PER_JOB + pages);
  const lane = laneOf(connector);
  return {
    from: windows[0]!.from.toISOString(),
    to: windows.at(-1)!.to.toISOString(),
    contract,
    windows: first,
    windowSeconds: sizeMs / 1000,
    lanes: new Set(windows.map(({ from }) => lane(from.getTime()))).size,
    jobs: { first, again },
    requests,
    requestsPerSecond,
    leastSeconds: Math.ceil(requests / requestsPerSecond),
    usualSeconds: Math.ceil((requests / TOKEN_PER_MINUTE) * 60),
    archivesInSpool,
    spoolBytes: Math.ceil(archivesInSpool * archiveBytes * (COMPRESSED + staged)),
    recordBytes,
    ...(windowRecords === undefined ? {} : { windowRecords }),
    mostRecords,
    topics: topics.map(({ name, partitions }) => ({ name, partitions })),
  };
}

/** How often a window is read again whose first reading comes when its end is so long past. @internal */
export function readingsAgain(rereads: FollowPlan['rereads'], ageMs: number): number {
  let readings = 0;
  for (let atMs = ageMs; ; readings += 1) {
    const next = rereads.map((entry) => ({ atMs: atMs + entry.everyMs, untilMs: entry.ageMs }));
    const due = next.filter((one) => one.atMs <= one.untilMs).map((one) => one.atMs);
    if (due.length === 0) return readings;
    atMs = Math.min(...due);
  }
}
