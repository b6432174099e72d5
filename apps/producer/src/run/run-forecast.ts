import type { FollowPlan, Window } from '@genesys-kafka/job-poller';
import type { TopicSpec } from '@genesys-kafka/topics';
import type { Settings } from '../settings.ts';
import { laneOf } from './follow.ts';

/** Of a job that is waited for, at the least: that it runs, and that it is done. */
const LEAST_POLLS = 2;

/** What a job asks of the budget besides its pages: its submit and the polls. */
const PER_JOB = 1 + LEAST_POLLS;

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
  /** What the budget alone takes for all of them. */
  readonly leastSeconds: number;
  /** Archives that may lie in the spool directory at a time; none by pages. */
  readonly archivesInSpool: number;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

/** `perDay`: conversations of a day; undefined where nobody knows, and then a job counts as one page. */
export function forecast(
  settings: Settings,
  windows: readonly Window[],
  topics: readonly TopicSpec[],
  { nowMs, perDay }: { readonly nowMs: number; readonly perDay?: number | undefined },
): Forecast {
  const { genesys, connector } = settings;
  const { sizeMs, rereads } = settings.windows;
  const { contract, requestsPerSecond, concurrentJobs, pageSize } = genesys;
  const first = windows.length;
  const again = windows.reduce((sum, { to }) => sum + readingsAgain(rereads, Math.max(0, nowMs - to.getTime())), 0);
  const records = perDay === undefined ? 0 : perDay * (sizeMs / 86_400_000);
  const pages = contract === 'details-jobs' ? Math.max(1, Math.ceil(records / pageSize)) : 0;
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
    archivesInSpool: contract === 'bulk-archive' ? Math.min(concurrentJobs, first) : 0,
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
