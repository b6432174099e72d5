import type { LedgerErrorCode } from '@genesys-kafka/ledger';
import { OperationalError, type Clock } from '@genesys-kafka/resilience';

const OTHER_TOPICS: ReadonlySet<string> = new Set<LedgerErrorCode>(['ledger-missing', 'data-missing']);

/** Of failures that a lane meets: all else is waited out. */
export function endsRun({ scope, code }: OperationalError): boolean {
  return scope === 'usage' || OTHER_TOPICS.has(code);
}

/**
 * Rejects where ledger or data topic were made anew behind the run, or with the signal's reason. A broker takes what is
 * written to the new one as if nothing had happened, and a lane that is held never notices.
 */
export async function watchTopics(
  assertSame: () => Promise<void>,
  everyMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    await clock.sleep(everyMs, signal);
    try {
      await assertSame();
    } catch (error) {
      if (!(error instanceof OperationalError) || endsRun(error)) throw error;
      // Brokers that are away, say, are others' concern.
    }
  }
}
