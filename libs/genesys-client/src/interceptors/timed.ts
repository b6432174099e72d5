import type { TimedAnswer } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { callFacts, interceptor } from '../exchange.ts';

/** Shows each answer with the times around it, for holding clocks against each other; what `onAnswer` throws ends the call. */
export function timed(clock: Clock, onAnswer: (answer: TimedAnswer) => void): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    const sentMs = clock.nowMs();
    const answer = await next(call);
    onAnswer({ host: callFacts(call).host, headers: answer.headers, sentMs, receivedMs: clock.nowMs() });
    return answer;
  });
}
