import { runPlanKey, withLane, type RunPlan } from '@genesys-kafka/ledger';
import { backoffMs, OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { ProducerContext } from '../export/context.ts';
import { assertSamePlan, type Follow } from './follow.ts';
import { HeldLane } from './held-lane.ts';
import type { Scheduler } from './scheduler.ts';

/** Longer than the group takes to tell a process that was paused that its lanes are others' by now. */
const CLAIM_AGAIN = { initialMs: 10_000, factor: 2, maxMs: 60_000, jitterMs: 2000 };

export interface LanePorts {
  readonly context: Pick<ProducerContext, 'runLane' | 'digests'>;
  readonly follow: Follow;
  readonly scheduler: Pick<Scheduler, 'hold'>;
  readonly clock: Clock;
  /** The lane is not ours, or not any more; it is claimed again later. */
  readonly onLost: (lane: number, error: OperationalError) => void;
  readonly onHeld: (lane: number) => void;
  /** A job is read by others, if by anybody: what was downloaded of it may go. */
  readonly release: (sourceId: string) => Promise<void>;
}

/**
 * Holds a lane for as long as the group gives it to us: claims it, works on it, and claims it again where that was
 * interrupted, whatever the reason. Resolves once `signal` has aborted and what was whole by then is committed; rejects
 * with `other-plan` and with bugs.
 */
export async function runLane(lane: number, ports: LanePorts, signal: AbortSignal): Promise<void> {
  const { context, clock, onLost } = ports;
  const isStopped = () => signal.aborted;
  let held: HeldLane | undefined;
  const releaseAllBut = async (kept: ReadonlySet<string>) => {
    for (const id of held?.jobsInHand ?? []) if (!kept.has(id)) await ports.release(id);
  };
  for (let attempt = 0; !isStopped(); attempt += 1) {
    try {
      await withLane(context.runLane(lane, signal), async (claimed, publisher) => {
        const lines = [...claimed.entries.values()];
        assertSamePlan(ports.follow, lines);
        if (!lines.some(({ kind }) => kind === 'run-plan')) {
          const entry = planLine(lane, ports);
          await publisher.write({ key: runPlanKey(entry), entry, batches: [] });
        }
        attempt = 0;
        ports.onHeld(lane);
        const ended = AbortSignal.any([signal, publisher.signal]);
        const digests = context.digests(claimed, publisher, ended);
        const now = new HeldLane(lane, { lines, publisher, signal: ended, digests });
        // Others may have had it in between.
        await releaseAllBut(now.jobsInHand);
        held = now;
        return ports.scheduler.hold(now);
      });
    } catch (error) {
      if (isStopped()) break;
      if (!(error instanceof OperationalError) || error.scope === 'usage') throw error;
      onLost(lane, error);
      await clock.sleep(backoffMs(CLAIM_AGAIN, attempt), signal).catch(() => undefined);
    }
  }
  await releaseAllBut(new Set());
}

function planLine(lane: number, { follow, clock }: LanePorts): RunPlan {
  return { ...follow.identity, lane, updatedAt: new Date(clock.nowMs()).toISOString() };
}
