import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import type { Clock, SlidingWindow } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import type { OnEvent } from '../events.ts';
import { interceptor, type Answer } from '../exchange.ts';

/** Where a 429 names no time (docs/genesys-cloud.md, "Rate limits"). */
const DEFAULT_WAIT_MS = 5000;

/**
 * Holds the shared budget when Genesys says so: after a 429 for the time it names, and before one, when the allowance
 * of the `inin-ratelimit-*` headers is nearly spent, until its reset. `reserve` requests may be on their way unseen.
 */
export function rateLimits(options: {
  readonly window: SlidingWindow;
  readonly clock: Clock;
  readonly reserve: number;
  readonly maxHoldMs: number;
  readonly onEvent: OnEvent;
}): Dispatcher.DispatcherComposeInterceptor {
  const hold = (reason: '429' | 'allowance', ms: number) => {
    const holdMs = Math.min(ms, options.maxHoldMs);
    options.window.hold(holdMs);
    options.onEvent({ type: 'rate-limited', reason, holdMs });
  };
  return interceptor(async (call, next) => {
    const answer = await next(call);
    const spentMs = allowanceResetMs(answer, options.reserve);
    if (answer.status === 429) hold('429', rateLimitWaitMs(answer, options.clock));
    else if (spentMs !== undefined) hold('allowance', spentMs);
    return answer;
  });
}

/** How long a 429 asks to wait: `Retry-After`, else the seconds in Genesys' message, else 5 s. */
export function rateLimitWaitMs(answer: Answer, clock: Clock): number {
  return retryAfterOf(answer.headers, clock.nowMs()) ?? messageWaitMs(answer.body) ?? DEFAULT_WAIT_MS;
}

/** "Rate limit exceeded the maximum. Retry the request in [27] seconds" (docs/genesys-cloud.md, "Rate limits"). */
function messageWaitMs(body: Buffer): number | undefined {
  const seconds = /retry the request in \[?(\d{1,6})\]? seconds?/i.exec(body.toString('utf8', 0, 4096))?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function allowanceResetMs(answer: Answer, reserve: number): number | undefined {
  const [count, allowed, reset] = ['count', 'allowed', 'reset'].map((part) => {
    const value = headerOf(answer.headers, `inin-ratelimit-${part}`)?.trim() ?? '';
    return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  });
  if (count === undefined || allowed === undefined || reset === undefined || reset === 0) return undefined;
  // Of a small allowance only a small part is kept back, or it could never be used.
  return allowed - count <= Math.min(reserve, allowed * 0.05) ? reset * 1000 : undefined;
}
