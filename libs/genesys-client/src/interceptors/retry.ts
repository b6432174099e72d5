import { retryAfterOf } from '@genesys-kafka/http';
import { isRetryable, OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import type { OnEvent } from '../events.ts';
import { interceptor, type Answer, type Call, type Exchange } from '../exchange.ts';
import { rateLimitWaitMs } from './rate-limits.ts';

export interface RetryPolicy {
  /** Attempts in all, the first included; a 429 counts against the time alone. */
  readonly attempts: number;
  /** No new attempt that would start later than this after the first. */
  readonly maxElapsedMs: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

/** A host that never answered is more likely misspelt, or firewalled, than down: its user should hear soon. */
const FIRST_CONTACT_ATTEMPTS = 3;
const UNREACHED = new Set(['host-not-found', 'connection-failed', 'proxy-failed']);
/** 408 and 425 mean "the same again"; other 4xx do not get better, unless a call knows better (`Call.again`). */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

type Outcome = { readonly answer: Answer } | { readonly error: OperationalError };

/**
 * Makes the call again after transient faults, with exponential back-off and full jitter (any wait between 0 and the
 * bound: callers that failed together do not come back together). When the attempts or the time are spent, the last
 * answer or error stands. Any call is repeated, a submit too: one whose answer was lost may have made a job that
 * nobody reads, which costs some of the organisation's budget and nothing else, as no record comes from it.
 */
export function retry(
  policy: RetryPolicy,
  ports: { readonly clock: Clock; readonly random: () => number; readonly onEvent: OnEvent },
): Dispatcher.DispatcherComposeInterceptor {
  const reached = new Set<string>();
  return interceptor(async (call, next) => {
    const startMs = ports.clock.monotonicMs();
    let counted = 0;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await attemptOnce(call, next);
      const status = 'answer' in outcome ? outcome.answer.status : undefined;
      if (status !== undefined) reached.add(call.origin);
      const again = 'answer' in outcome && call.again?.when(outcome.answer) === true ? call.again : undefined;
      if (status !== undefined && !TRANSIENT.has(status) && !again) return settle(outcome);
      if (status !== 429) counted += 1;
      const code = 'error' in outcome ? outcome.error.code : '';
      const early = UNREACHED.has(code) && !reached.has(call.origin);
      const leastMs = namedWaitMs(outcome, ports.clock);
      const waitMs = ports.random() * Math.min(policy.maxMs, policy.initialMs * 2 ** (attempt - 1));
      const lateMs = ports.clock.monotonicMs() - startMs + Math.max(waitMs, leastMs);
      const attempts = Math.min(again?.attempts ?? policy.attempts, early ? FIRST_CONTACT_ATTEMPTS : policy.attempts);
      if (counted >= attempts || lateMs > policy.maxElapsedMs) return settle(outcome);
      // A 429 holds the budget for everybody; here it adds only the jitter.
      const pauseMs = status === 429 ? waitMs : Math.max(waitMs, leastMs);
      const what = status === undefined ? { code } : { status };
      ports.onEvent({ type: 'retry', operation: call.operation, attempt, waitMs: pauseMs, ...what });
      await ports.clock.sleep(pauseMs, call.signal);
    }
  });
}

async function attemptOnce(call: Call, next: Exchange): Promise<Outcome> {
  try {
    return { answer: await next(call) };
  } catch (error) {
    if (call.signal.aborted || !isRetryable(error)) throw error;
    return { error };
  }
}

function settle(outcome: Outcome): Answer {
  if ('error' in outcome) throw outcome.error;
  return outcome.answer;
}

function namedWaitMs(outcome: Outcome, clock: Clock): number {
  if ('error' in outcome) return 0;
  return outcome.answer.status === 429
    ? rateLimitWaitMs(outcome.answer, clock)
    : (retryAfterOf(outcome.answer.headers, clock.nowMs()) ?? 0);
}
