import type { DeliveryOutcome, Lane, SinkGate } from '@genesys-kafka/delivery';
import { backoffMs, type BackoffOptions, type Clock } from '@genesys-kafka/resilience';

/** By what a writer comes to its target. */
export interface TargetPorts {
  readonly gate: SinkGate;
  readonly lane: Lane;
  readonly onAnswer: (outcome: DeliveryOutcome, seconds: number) => void;
  readonly clock: Clock;
}

type Settled = { readonly kind: 'delivered' | 'rejected' };

/**
 * Tries for as long as it takes, whenever the sink's gate gives a turn: resolves once the target has taken what `attempt`
 * writes, or rejects it for what it is. Rejects with the reason of `stopping`, and with whatever `attempt` rejects with.
 */
export async function settledAtTarget<O extends DeliveryOutcome>(
  attempt: () => Promise<O>,
  { gate, lane, onAnswer, clock }: TargetPorts,
  backoff: BackoffOptions,
  stopping: AbortSignal,
): Promise<Extract<O, Settled>> {
  for (let tries = 0; ; tries += 1) {
    let outcome: O | undefined;
    const answer = await gate.run(lane, stopping, async (onWritten) => {
      onWritten();
      const startedMs = clock.monotonicMs();
      outcome = await attempt();
      onAnswer(outcome, (clock.monotonicMs() - startedMs) / 1000);
      return [outcome];
    });
    if (outcome?.kind === 'delivered' || outcome?.kind === 'rejected') return outcome as Extract<O, Settled>;
    await clock.sleep('kind' in answer ? answer.retryInMs : backoffMs(backoff, tries), stopping);
  }
}
