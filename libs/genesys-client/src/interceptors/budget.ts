import { headerOf, type Headers } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { rateHeadersOf } from '../budget/rate-headers.ts';
import type { RequestBudget } from '../budget/request-budget.ts';
import type { OnEvent } from '../events.ts';
import { interceptor, type Call } from '../exchange.ts';
import { namedRateLimitWaitMs } from './rate-limits.ts';

/**
 * Every attempt, a retry or a login too, first takes a turn of the one budget that all calls share. The budget hears
 * what each answer says of the limit, as soon as it begins, and of each 429.
 */
export function budget(
  requests: RequestBudget,
  ports: { readonly clock: Clock; readonly onEvent: OnEvent },
): Dispatcher.DispatcherComposeInterceptor {
  let isTold = false;
  const read = (headers: Headers) => {
    const said = rateHeadersOf(headers);
    if (said === 'unreadable' && !isTold) {
      isTold = true;
      const shown = (name: string) => harmless(headerOf(headers, `inin-ratelimit-${name}`));
      const found = { count: shown('count'), allowed: shown('allowed'), reset: shown('reset') };
      ports.onEvent({ type: 'rate-headers-unreadable', ...found });
    }
    return said;
  };
  return interceptor(async (call, next) => {
    const turn = await requests.turn(isOfToken(call), call.signal);
    try {
      const answer = await next({
        ...call,
        onAnswerBegun: (status, headers) => turn.answered(read(headers), status === 429),
      });
      if (answer.status === 429) {
        const holdMs = turn.refused(namedRateLimitWaitMs(answer, ports.clock));
        ports.onEvent({ type: 'rate-limited', holdMs });
      }
      return answer;
    } finally {
      turn.done();
    }
  });
}

/** The limit is of a token: a login is not counted against it. */
const isOfToken = (call: Call) => call.headers.authorization?.startsWith('Bearer ') === true;

function harmless(value: string | undefined): string {
  if (value === undefined) return 'missing';
  return /^[\w.:;,=+-]{0,40}$/.test(value) ? value : 'unprintable';
}
