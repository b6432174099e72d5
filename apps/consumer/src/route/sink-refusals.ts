import { isRetryable, type Clock } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import { ConsumerError } from '../errors.ts';
import type { OpenSinks } from './open-sinks.ts';

/** One refusal may be a target's bad moment, and the file lock of a killed process goes after 30 s. */
const FOR_GOOD = { refusals: 3, ms: 45_000 };

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
      const { cause, reason } = opening.failure;
      const what = `Sink "${sink}" took nothing at ${gate.refusals} tries in a row (${cause}): ${reason.replace(/\.$/, '')}.`;
      reject(new ConsumerError('sink-refuses-us', what, { details: { sink, cause } }));
    });
  }
  return promise;
}
