import { runPlanKey, withLane, type LaneOptions, type PublisherEvents, type RunPlan } from '@genesys-kafka/ledger';
import { backoffMs, OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { ProducerContext } from '../export/context.ts';
import { assertSamePlan, type Follow } from './follow.ts';
import { HeldLane } from './held-lane.ts';
import { endsRun } from './watch-topics.ts';
import type { LaneHealth } from './lane-health.ts';
import type { Scheduler } from './scheduler.ts';

/** Longer than the group takes to tell a process that was paused that its lanes are others' by now. */
const CLAIM_AGAIN = { initialMs: 10_000, factor: 2, maxMs: 60_000, jitterMs: 2000 };

export interface LanePorts {
  readonly context: Pick<ProducerContext, 'runLane' | 'digests'>;
  readonly follow: Follow;
  readonly scheduler: Pick<Scheduler, 'hold'>;
  readonly clock: Clock;
  readonly health: LaneHealth;
  /** The lane is not ours, or not any more; it is claimed again later. */
  readonly onLost: (lane: number, error: OperationalError) => void;
  readonly onHeld: (lane: number) => void;
  /** A job is read by others, if by anybody: what was downloaded of it may go. */
  readonly release: (sourceId: string) => Promise<void>;
}

/**
 * Holds a lane for as long as the group gives it to us: claims it, works on it, and claims it again where that was
 * interrupted, whatever the reason. Resolves once `signal` has aborted and what was whole by then is committed; rejects
 * with `other-plan`, where ledger or data topic were made anew meanwhile, and with bugs.
 */
export async function runLane(lane: number, ports: LanePorts, signal: AbortSignal): Promise<void> {
  const { context, clock, health, onLost } = ports;
  const isStopped = () => signal.aborted;
  let held: HeldLane | undefined;
  const releaseAllBut = async (kept: ReadonlySet<string>) => {
    for (const id of held?.jobsInHand ?? []) if (!kept.has(id)) await ports.release(id);
  };
  while (!isStopped()) {
    try {
      await withLane(watched(context.runLane(lane, signal), health), async (claimed, publisher) => {
        const lines = [...claimed.entries.values()];
        assertSamePlan(ports.follow, lines);
        if (!lines.some(({ kind }) => kind === 'run-plan')) {
          const entry = planLine(lane, ports);
          await publisher.write({ key: runPlanKey(entry), entry, batches: [] });
        }
        ports.onHeld(lane);
        const ended = AbortSignal.any([signal, publisher.signal]);
        const digests = context.digests(claimed, publisher, ended);
        const now = new HeldLane(lane, { lines, publisher, signal: ended, digests });
        // Others may have had it in between.
        await releaseAllBut(now.jobsInHand);
        held = now;
        health.held(clock.monotonicMs(), () => now.inWork.size > 0);
        try {
          return await ports.scheduler.hold(now);
        } finally {
          health.released(clock.monotonicMs());
        }
      });
    } catch (error) {
      if (isStopped()) break;
      if (!(error instanceof OperationalError) || endsRun(error)) throw error;
      health.lost(error);
      onLost(lane, error);
      await clock.sleep(backoffMs(CLAIM_AGAIN, health.losses - 1), signal).catch(() => undefined);
    }
  }
  await releaseAllBut(new Set());
}

function watched(options: LaneOptions, health: LaneHealth): LaneOptions {
  const { events } = options;
  const onCommit: PublisherEvents['onCommit'] = (commit) => {
    if (commit.records > 0) health.published();
    events?.onCommit?.(commit);
  };
  return { ...options, events: { ...events, onCommit } };
}

function planLine(lane: number, { follow, clock }: LanePorts): RunPlan {
  return { ...follow.identity, lane, updatedAt: new Date(clock.nowMs()).toISOString() };
}
