import { ASSUMED, type Defaults, type Delivered } from './assumptions.ts';
import type { Figures } from './figures.ts';

const DAY_S = 86_400;
/** SHA-256 in hex, the header `content-digest`. */
const DIGEST_BYTES = 64;

interface Requests {
  readonly windows: number;
  /** Job submits, polls, pages and all: of a day … */
  readonly aDay: number;
  /** … and of a minute of its busiest hour, by which the limit goes. */
  readonly peakPerMinute: number;
}

/** What so many conversations a day ask of every part. */
export interface Demand {
  /** In the busiest hour. */
  readonly peakPerSecond: number;
  readonly pages: Requests;
  /** How long a page may take: those of one job come one after the other. */
  readonly pageSeconds: number;
  readonly archives: Requests & {
    readonly windowSeconds: number;
    /** `size` that the query has to name; undefined where the default does. */
    readonly size: number | undefined;
    /** ZIPs, and what is made of them, of the jobs side by side. */
    readonly spoolBytes: number;
  };
  readonly jsonBytes: number;
  readonly zipBytes: number;
  /** Kafka's disks at retention, all copies. */
  readonly storedBytes: number;
  readonly partitionBytes: number;
  readonly partitionPeakBytes: number;
  readonly producerCores: Readonly<Record<'details-jobs' | 'bulk-archive', number>>;
  readonly brokerCores: number;
  readonly producers: number;
  readonly transactions: number;
  /** Records that commits add to the partitions. */
  readonly markers: number;
  readonly ledgerLines: number;
  readonly ledgerBytes: number;
  /** What compaction leaves of a year. */
  readonly ledgerKeptBytes: number;
  readonly digestBytes: number;
  /** Consumer processes that deliver everything to one HTTP target. */
  readonly consumers: number;
}

export function demandOf(perDay: number, figures: Figures, set: Defaults, delivered: Delivered | undefined): Demand {
  const peakPerSecond = atPeak(perDay);
  const pages = pagesOf(perDay, set);
  const archives = archivesOf(peakPerSecond, set);
  const { jsonBytes, zipBytes, publishedPerSecond: rate } = figures;
  const windows = archives.windows;
  // Each window has one with its job's id before its records, and one that ends it.
  const transactions = Math.ceil(perDay / transactionRecords(figures, set)) + 2 * windows;
  const ledgerLines = (transactions - 2 * windows) * Math.min(set.concurrentJobs, windows) + 2 * windows;
  const cores = (cpuSeconds: number) => peakPerSecond * cpuSeconds;
  return {
    peakPerSecond,
    pages,
    pageSeconds: (Math.min(set.concurrentJobs, pages.windows) * set.pageSize) / peakPerSecond,
    archives: {
      ...archives,
      spoolBytes: set.concurrentJobs * 2 * peakPerSecond * archives.windowSeconds * zipBytes,
    },
    jsonBytes: perDay * jsonBytes,
    zipBytes: perDay * zipBytes,
    storedBytes: perDay * zipBytes * ASSUMED.retentionDays * ASSUMED.replication,
    partitionBytes: (perDay * zipBytes * ASSUMED.retentionDays) / set.partitions,
    partitionPeakBytes: (peakPerSecond * zipBytes) / set.partitions,
    producerCores: {
      'details-jobs': cores(figures.producerCpuSeconds['details-jobs']),
      'bulk-archive': cores(figures.producerCpuSeconds['bulk-archive']),
    },
    brokerCores: cores(figures.brokerCpuSeconds),
    producers: Math.ceil(peakPerSecond / rate),
    transactions,
    markers: transactions * (set.partitions + 1),
    ledgerLines,
    ledgerBytes: ledgerLines * set.entryBytes,
    ledgerKeptBytes: 365 * windows * set.entryBytes,
    digestBytes: perDay * DIGEST_BYTES,
    consumers: Math.ceil(peakPerSecond / deliveredPerSecond(set, delivered)),
  };
}

/** Conversations in a second of the busiest hour. */
function atPeak(perDay: number): number {
  return (perDay * ASSUMED.peakHourShare) / 3600;
}

/** Conversations a day of which the busiest hour has so many in a second. */
export function dayOf(peakPerSecond: number): number {
  return (peakPerSecond * 3600) / ASSUMED.peakHourShare;
}

/** By one consumer process to one HTTP target: by how many requests it has under way, and no more than it can. */
export function deliveredPerSecond({ concurrency }: Defaults, delivered: Delivered | undefined): number {
  return Math.min(concurrency / (ASSUMED.targetMs / 1000), delivered?.recordsPerSecond ?? Infinity);
}

/** What closes first: as many bytes as a transaction takes, or as many as come in its time. */
function transactionRecords({ jsonBytes, publishedPerSecond }: Figures, set: Defaults): number {
  return Math.min(set.transactionBytes / jsonBytes, publishedPerSecond * set.transactionSeconds);
}

/** Each window is asked for availability, submitted, polled and paged through. */
function pagesOf(perDay: number, { pageSize, windowSeconds, polls }: Defaults): Requests {
  const windows = Math.ceil(DAY_S / windowSeconds);
  const aDay = windows * (2 + polls + Math.ceil(perDay / windows / pageSize));
  return { windows, aDay, peakPerMinute: (atPeak(perDay) * 60) / pageSize };
}

/** Windows as long as the busiest hour's conversations stay below `size`, in whole minutes. */
function archivesOf(peakPerSecond: number, { polls, windowSeconds: longest }: Defaults) {
  const { archiveSize, shortestWindowSeconds: shortest } = ASSUMED;
  const fitting = Math.floor((archiveSize - 1) / peakPerSecond / shortest) * shortest;
  const windowSeconds = Math.min(longest, Math.max(shortest, fitting));
  const most = peakPerSecond * windowSeconds;
  const windows = Math.ceil(DAY_S / windowSeconds);
  const requests = 1 + polls;
  return {
    windows,
    windowSeconds,
    size: most < archiveSize ? undefined : Math.ceil(most) + 1,
    aDay: windows * requests,
    peakPerMinute: (requests * 60) / windowSeconds,
  };
}
