import { GenesysError } from '@genesys-kafka/genesys-client';
import { dayOf, halvesOf, nextTryMs, type Window } from '@genesys-kafka/job-poller';
import { plannedReading, readOn, type ChangeJudge, type RunWindow } from '@genesys-kafka/ledger';
import { OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { ProducerError } from '../errors.ts';
import type { ProducerContext } from '../export/context.ts';
import { readJob, type WindowJob } from '../export/run-window.ts';
import type { JobContract } from '../genesys/job-contract.ts';
import { SourcePublisher } from '../pipeline/source-publisher.ts';
import type { Follow } from './follow.ts';
import { isInHand, type HeldLane } from './held-lane.ts';
import { reactionTo } from './reaction.ts';
import type { Watermark } from './watermark.ts';

export interface FollowPorts {
  readonly context: Pick<ProducerContext, 'source' | 'pages' | 'stages'>;
  readonly contract: JobContract;
  readonly follow: Follow;
  readonly watermark: Pick<Watermark, 'isWindowsOwn'>;
  readonly clock: Clock;
}

/** A window, and from where its reading goes on. */
export interface WindowReading {
  readonly lane: HeldLane;
  readonly window: Window;
  readonly source: SourcePublisher<RunWindow>;
  /** Of its day, until its reading has ended. */
  readonly judge: ChangeJudge | undefined;
}

/** Takes a window up where its line says it stands: its job is read on, or the next reading begins. */
export function takeUp(
  lane: HeldLane,
  window: Window,
  availableMs: number,
  { context, follow, clock }: Pick<FollowPorts, 'context' | 'follow' | 'clock'>,
): WindowReading {
  const { connector, contract } = follow.identity;
  const facts = {
    connector,
    contract: contract as RunWindow['contract'],
    window: window.id,
    availableUntil: iso(availableMs),
    updatedAt: iso(clock.nowMs()),
  };
  const maxRecords = halvesOf(window) ? { maxRecords: follow.windows.maxRecords } : {};
  const line = goOn(lane.lines.get(window.id)) ?? plannedReading(facts, lane.lines.get(window.id));
  const judge = lane.digests?.judge(connector, dayOf(window.id));
  const options = { ...context.source, ...maxRecords, ...(judge ? { judge } : {}) };
  const source = new SourcePublisher<RunWindow>(lane.publisher, line, options);
  return { lane, window, source, judge };
}

/** Undefined where a new reading begins. */
function goOn(line: RunWindow | undefined): RunWindow | undefined {
  if (line?.state === 'failed') return line.failures?.keepsJob && line.source ? readOn(line) : undefined;
  return line?.state === 'done' ? undefined : line;
}

/**
 * Reads a window to its end: it is then `done`, `failed` with its next try, or `split` into halves, and that is
 * committed. That it is planned is committed before its job is asked for, and the job's id before it is polled, so that
 * whoever holds the lane next goes on with the same job. Rejects with the signal's reason, or with an error that is not
 * the window's own: its line then stays as it is.
 */
export async function readWindow(
  { lane, window, source, judge }: WindowReading,
  takeSource: WindowJob['takeSource'],
  ports: FollowPorts,
): Promise<RunWindow> {
  const { context, contract } = ports;
  const availableUntil = async () => new Date(source.entry.availableUntil);
  const job: WindowJob = { takeSource, availableUntil, contract, window, source };
  try {
    if (source.entry.state === 'planned') await source.announce();
    const lack = await readJob(job, context, lane.signal);
    return lack ? await endedBadly(source, window, lack, ports) : await endedWell(source);
  } catch (error) {
    lane.signal.throwIfAborted();
    if (!(error instanceof OperationalError)) throw error;
    const isOwn = !mayMeetOthers(error) || (await ports.watermark.isWindowsOwn(error, lane.signal));
    if (!isOwn) throw error;
    return await endedBadly(source, window, error, ports);
  } finally {
    judge?.[Symbol.dispose]();
    const id = source.entry.source?.id;
    // What was downloaded is kept for whoever goes on at once.
    if (id !== undefined && !isInHand(source.entry))
      await Promise.all([contract.release(id), context.stages.release(id)]);
  }
}

/** What ends a run of `export`, and is between us and Genesys. A full disk, say, is met by those that need it. */
function mayMeetOthers(error: OperationalError): boolean {
  return error.scope !== 'source' && (error instanceof GenesysError || error.code === CLOCK_SKEW);
}

const CLOCK_SKEW: ProducerError['code'] = 'clock-skew';

async function endedWell(source: SourcePublisher<RunWindow>): Promise<RunWindow> {
  return source.finish('done', undefined, ({ failures, ...line }) => {
    const { reading: number, availableUntil: until, counts } = line;
    const at = line.source?.submittedAt ?? line.updatedAt;
    return { ...line, lastReading: { number, at, until, counts } };
  });
}

async function endedBadly(
  source: SourcePublisher<RunWindow>,
  window: Window,
  error: OperationalError,
  { follow, clock }: Pick<FollowPorts, 'follow' | 'clock'>,
): Promise<RunWindow> {
  const reaction = reactionTo(error, source.entry.failures?.count ?? 0);
  const halves = reaction === 'split' ? halvesOf(window) : undefined;
  if (halves) {
    const [one, other] = halves;
    return source.finish('split', error, ({ failures, ...line }) => ({ ...line, halves: [one.id, other.id] }));
  }
  const nowMs = clock.nowMs();
  return source.finish('failed', error, (line) => {
    const count = (line.failures?.count ?? 0) + 1;
    const since = line.failures?.since ?? iso(nowMs);
    const nextTry = iso(nextTryMs(nowMs, count, follow.windows.retryAfterMs));
    const keepsJob = reaction === 'same-job' ? { keepsJob: true as const } : {};
    return { ...line, failures: { since, count, nextTry, ...keepsJob } };
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
