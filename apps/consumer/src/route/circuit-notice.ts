import type { CircuitOpening, CircuitState } from '@genesys-kafka/delivery';
import type { Logger } from '@genesys-kafka/runtime';

/** Of an opening: what did it, what the target asked for, and until when nothing is sent. */
export function tellCircuit(
  log: Logger,
  sink: string,
  {
    state,
    opening,
    refuses = false,
    nowMs,
  }: {
    readonly state: CircuitState;
    readonly opening?: CircuitOpening | undefined;
    /** The target refuses us, whatever is sent: somebody has to do something. */
    readonly refuses?: boolean;
    readonly nowMs: number;
  },
): void {
  if (!opening) {
    log.warn({ sink, state }, `circuit ${state}`);
    return;
  }
  const { failure, forMs, askedMs } = opening;
  const until = new Date(nowMs + forMs).toISOString();
  const cut = askedMs !== undefined && askedMs > forMs ? ' (cut: the target asked for more)' : '';
  const told = { sink, state, ...failure, askedMs, until };
  if (refuses) log.error(told, `the target refuses us: circuit open until ${until}, and records wait`);
  else log.warn(told, `circuit open until ${until}${cut}`);
}
