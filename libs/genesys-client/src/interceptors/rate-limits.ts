import { retryAfterOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Answer } from '../exchange.ts';

/** Where a 429 names no time, it is at least this (docs/genesys-cloud.md, "Rate limits"). */
export const UNNAMED_WAIT_MS = 5000;

/** How long a 429 asks to wait: `Retry-After`, else the seconds in Genesys' message, else it does not say. */
export function namedRateLimitWaitMs(answer: Answer, clock: Clock): number | undefined {
  return retryAfterOf(answer.headers, clock.nowMs()) ?? messageWaitMs(answer.body);
}

export function rateLimitWaitMs(answer: Answer, clock: Clock): number {
  return namedRateLimitWaitMs(answer, clock) ?? UNNAMED_WAIT_MS;
}

/** "Rate limit exceeded the maximum. Retry the request in [27] seconds" (docs/genesys-cloud.md, "Rate limits"). */
function messageWaitMs(body: Buffer): number | undefined {
  const seconds = /retry the request in \[?(\d{1,6})\]? seconds?/i.exec(body.toString('utf8', 0, 4096))?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
