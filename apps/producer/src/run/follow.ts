import { dividesDay, utcDay, type FollowPlan } from '@genesys-kafka/job-poller';
import type { LedgerLine, RunPlan } from '@genesys-kafka/ledger';
import { ConfigError, missingSetting } from '@genesys-kafka/runtime';
import { LANES, partitionFor } from '@genesys-kafka/topics';
import { ProducerError } from '../errors.ts';
import { stableId } from '../export/identity.ts';
import type { Query } from '../genesys/job-contract.ts';
import type { Settings } from '../settings.ts';

/** What a connector's `run` follows: the same in all of its processes, and from its first start on. */
export interface Follow {
  readonly plan: FollowPlan;
  /** The plan as each lane's ledger holds it. */
  readonly identity: Omit<RunPlan, 'lane' | 'updatedAt'>;
  readonly windows: Settings['windows'];
  readonly concurrentJobs: number;
  laneOf(startMs: number): number;
}

/** Raises a ConfigError without `windows.from`, `follow-from` for one to come, and `follow-size`. */
export function followOf(settings: Settings, query: Query, nowMs: number): Follow {
  const { connector, windows, genesys } = settings;
  const { fromMs, sizeMs, rereads } = windows;
  if (fromMs === undefined) throw new ConfigError([missingSetting(settings, 'windows.from')]);
  const from = new Date(fromMs).toISOString();
  if (fromMs > nowMs) {
    const what = `windows.from is ${from}, and this machine's clock says ${new Date(nowMs).toISOString()}.`;
    throw new ProducerError('follow-from', what);
  }
  assertDividesDay(sizeMs);
  const { contract, concurrentJobs } = genesys;
  return {
    plan: { fromMs, sizeMs, rereads },
    identity: { v: 1, kind: 'run-plan', connector, from, sizeMs, contract, query: stableId({ query }) },
    windows,
    concurrentJobs,
    laneOf: laneOf(connector),
  };
}

/** Raises `follow-size`. */
export function assertDividesDay(sizeMs: number): void {
  if (dividesDay(sizeMs)) return;
  throw new ProducerError('follow-size', `windows.size is ${sizeMs / 1000} s, of which a day is no multiple.`);
}

/** Lane of the windows of a UTC day: all of its windows and readings have one writer (docs/exactly-once.md, rule 4). */
export function laneOf(connector: string): (startMs: number) => number {
  const first = partitionFor(connector, LANES);
  return (startMs) => (((utcDay(startMs) + first) % LANES) + LANES) % LANES;
}

/** More than eleven years of hours. They take some 130 MiB, and are all looked at each time that a window ends. */
const MOST_AT_FIRST = 100_000;

/** For a start: raises `other-plan`, and `follow-windows` where nothing of this connector was followed before. */
export function assertFollowable(follow: Follow, lines: readonly LedgerLine[], nowMs: number): void {
  assertSamePlan(follow, lines);
  const { identity, plan } = follow;
  // What was once begun goes on, for however long.
  if (lines.some((line) => line.kind === 'run-plan' && line.connector === identity.connector)) return;
  const count = Math.ceil((nowMs - plan.fromMs) / plan.sizeMs);
  if (count <= MOST_AT_FIRST) return;
  const what = `From ${identity.from} to now there are ${count} windows of ${plan.sizeMs / 1000} s, more than ${MOST_AT_FIRST}.`;
  throw new ProducerError('follow-windows', what);
}

/** Raises `other-plan` where the ledger's windows were planned otherwise than these settings ask for. */
export function assertSamePlan({ identity }: Pick<Follow, 'identity'>, lines: Iterable<LedgerLine>): void {
  for (const line of lines) {
    if (line.kind !== 'run-plan' || line.connector !== identity.connector) continue;
    const changed = (['from', 'sizeMs', 'contract', 'query'] as const).filter((key) => line[key] !== identity[key]);
    if (changed.length > 0) throw otherPlan(line, identity, changed);
  }
}

const NAMES = { from: 'windows.from', sizeMs: 'windows.size', contract: 'genesys.contract', query: 'genesys.query' };

function otherPlan(before: RunPlan, now: Follow['identity'], changed: readonly (keyof typeof NAMES)[]): ProducerError {
  const told = changed.map((key) => {
    if (key === 'query') return `${NAMES.query} is another one`;
    const [was, is] = [before, now].map((plan) => (key === 'sizeMs' ? `${plan.sizeMs / 1000} s` : plan[key]));
    return `${NAMES[key]} was ${was} and is ${is}`;
  });
  return new ProducerError('other-plan', `The windows of ${now.connector} were planned otherwise: ${told.join(', ')}.`);
}
