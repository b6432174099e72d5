import { SETTINGS as CONSUMER } from '@genesys-kafka/consumer/settings';
import { pollUntilDone } from '@genesys-kafka/job-poller';
import { newWindowEntry } from '@genesys-kafka/ledger';
import { SETTINGS as PRODUCER } from '@genesys-kafka/producer/settings';
import { settingsReference } from '@genesys-kafka/runtime';
import { LANES, topicSpecs } from '@genesys-kafka/topics';

/** Conversations a day that the page works out. */
export const LEVELS = [1e6, 100e6, 1e9] as const;

/** What is neither measured nor in the code. The page lists each of them with where it comes from. */
export const ASSUMED = {
  /** Part of a day's conversations in its busiest hour. */
  peakHourShare: 0.1,
  /** From submitting a job to its being done. */
  jobMs: 60_000,
  /** An HTTP target's answer. */
  targetMs: 20,
  retentionDays: 7,
  replication: 3,
  requestsPerMinute: 300,
  /** `size` of bulk-archive: an archive of so many is taken for cut off. */
  archiveSize: 10_000,
  /** `windows.size` takes no less. */
  shortestWindowSeconds: 60,
} as const;

/** What one consumer process delivers to an HTTP target that answers at once, by `npm run bench:deliver`. */
export interface Delivered {
  readonly recordsPerSecond: number;
  /** Day of the run, `2026-01-31`. */
  readonly date: string;
}

/** Set from a run on the machine of docs/benchmarks.json. Without one, consumers are counted by their concurrency alone. */
export const DELIVERED: Delivered | undefined = { recordsPerSecond: 21_000, date: '2026-11-27' };

/** What the programs are set to when nothing is said. */
export interface Defaults {
  readonly pageSize: number;
  /** Requests that a process makes in a second, whatever Genesys allows. */
  readonly requestsPerSecond: number;
  readonly concurrentJobs: number;
  readonly windowSeconds: number;
  readonly transactionBytes: number;
  readonly transactionSeconds: number;
  readonly partitions: number;
  readonly lanes: number;
  /** Deliveries of one process to one HTTP target at a time. */
  readonly concurrency: number;
  readonly ledgerSegmentBytes: number;
  /** After this long at the most, lines of the ledger that are overtaken may go. */
  readonly compactionSeconds: number;
  /** One line of the ledger. */
  readonly entryBytes: number;
  /** Questions until a job that takes `ASSUMED.jobMs` is done, the last one included. */
  readonly polls: number;
}

export async function defaults(): Promise<Defaults> {
  const { genesys, windows, kafka } = PRODUCER.schema.parse({});
  const concurrency = settingsReference(CONSUMER).find(({ path }) => path === 'sinks.*.concurrency')!.default;
  const ledger = topicSpecs({ prefix: kafka.topicPrefix }).ledger.config;
  return {
    pageSize: genesys.pageSize,
    requestsPerSecond: genesys.requestsPerSecond,
    concurrentJobs: genesys.concurrentJobs,
    windowSeconds: windows.sizeMs / 1000,
    transactionBytes: kafka.transaction.maxBytes,
    transactionSeconds: kafka.transaction.maxAgeMs / 1000,
    partitions: kafka.partitions,
    lanes: LANES,
    concurrency: Number(concurrency),
    ledgerSegmentBytes: Number(ledger['segment.bytes']),
    compactionSeconds: Number(ledger['max.compaction.lag.ms']) / 1000,
    entryBytes: entryBytes(),
    polls: await pollsOf(ASSUMED.jobMs),
  };
}

/** Of an archive's window, with the counts of a large one. A job of pages adds its cursor. */
function entryBytes(): number {
  const id = '0'.repeat(36);
  const entry = newWindowEntry({
    exportId: '0'.repeat(32),
    generation: 1,
    connector: 'default',
    contract: 'bulk-archive',
    window: '2026-01-01T00:00Z/2026-01-01T00:01Z',
    source: { id, jobId: id, submittedAt: new Date(0).toISOString() },
  });
  return JSON.stringify(entry).length;
}

/** By the poller itself, on a clock that only its waits move. @internal */
export async function pollsOf(jobMs: number): Promise<number> {
  let nowMs = 0;
  let asked = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) };
  const status = async () => {
    asked += 1;
    return { state: nowMs >= jobMs ? ('done' as const) : ('pending' as const) };
  };
  const signal = new AbortController().signal;
  await pollUntilDone({ status }, 'job', { clock, random: () => 0.5, signal });
  return asked;
}
