import type { DeliveryFailure } from '@genesys-kafka/delivery';
import { isRetryable, type Clock } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import { ConsumerError } from '../errors.ts';
import { AWAY_MS } from '../group/drain.ts';
import type { OpenSinks } from './open-sinks.ts';

/** One refusal may be a target's bad moment, and the file lock of a killed process goes after 30 s. */
const FOR_GOOD = { refusals: 3, ms: 45_000 };

const LOOK_EVERY_MS = 1000;

/** Tries each sink before work begins. Rejects with what no waiting mends; a target that is away may come yet. */
export async function checkSinks(sinks: OpenSinks, log: Logger, signal: AbortSignal): Promise<void> {
  const checks = Array.from(sinks.byName, async ([name, { sink }]) => {
    try {
      await sink.check(signal);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      log.warn({ sink: name, code: error.code, reason: error.message }, 'the target is away; its records wait');
    }
  });
  await Promise.all(checks);
}

/** Rejects with `sink-refuses-us` once a sink has refused us for good: its routes would never be drained. */
export async function untilRefusedForGood(sinks: OpenSinks, clock: Clock): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const [sink, { gate }] of sinks.byName) {
    let sinceMs = 0;
    gate.onChange((_state, opening) => {
      if (!opening) return;
      const nowMs = clock.monotonicMs();
      if (gate.refusals <= 1) sinceMs = nowMs;
      if (gate.refusals < FOR_GOOD.refusals || nowMs - sinceMs < FOR_GOOD.ms) return;
      reject(tookNothing('sink-refuses-us', sink, `at ${gate.refusals} tries in a row`, opening.failure));
    });
  }
  return promise;
}

/**
 * Rejects with `sink-away` once a sink has failed for so long without taking anything, and its records wait for it: a
 * drain would have no end. Rejects with the signal's reason.
 */
export async function untilAwayForGood(sinks: OpenSinks, clock: Clock, signal: AbortSignal): Promise<never> {
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    for (const [sink, { kind, gate }] of sinks.byName) {
      // While the circuit is closed a record goes on by its retries. A batch that is written exactly once has none.
      if (kind === 'records' && gate.state === 'closed') continue;
      const { failing } = gate;
      if (!failing || failing.forMs < AWAY_MS) continue;
      throw tookNothing('sink-away', sink, `for ${Math.floor(failing.forMs / 60_000)} minutes`, failing.failure);
    }
  }
}

function tookNothing(
  code: 'sink-away' | 'sink-refuses-us',
  sink: string,
  howLong: string,
  { cause, reason }: DeliveryFailure,
): ConsumerError {
  const what = `Sink "${sink}" took nothing ${howLong} (${cause}): ${reason.replace(/\.$/, '')}.`;
  return new ConsumerError(code, what, { details: { sink, cause } });
}
