import { OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import type { OnEvent } from '../events.ts';
import { correlationId, interceptor } from '../exchange.ts';

/** Tells of every attempt that went out, when it has ended. */
export function report(clock: Clock, onEvent: OnEvent): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    const startMs = clock.monotonicMs();
    const outcome = { type: 'request', operation: call.operation } as const;
    try {
      const answer = await next(call);
      const id = correlationId(answer);
      onEvent({
        ...outcome,
        durationMs: clock.monotonicMs() - startMs,
        bytes: answer.body.length,
        status: answer.status,
        ...(id === undefined ? {} : { correlationId: id }),
      });
      return answer;
    } catch (error) {
      const code = error instanceof OperationalError ? error.code : call.signal.aborted ? 'aborted' : 'unknown';
      onEvent({ ...outcome, durationMs: clock.monotonicMs() - startMs, bytes: 0, code });
      throw error;
    }
  });
}
