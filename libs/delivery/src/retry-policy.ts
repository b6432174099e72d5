import type { DeliveryFailure, DeliveryOutcome } from './sink.ts';

export interface RetryPolicy {
  /** Delays of the retry topics, strictly rising; none means that a transient failure is final. */
  readonly tiersMs: readonly number[];
  /** Deliveries in all, the first included. */
  readonly maxAttempts: number;
  /** What a 409 that does not name our key means: the target has another version in the record's place. */
  readonly conflict?: 'dead-letter' | 'delivered' | 'retry';
}

const CONFLICT = 409;

/** Share of its wait that chance adds to a retry at most. */
const MAX_JITTER = 0.1;

/** The most that a retry by these tiers is told to wait, in milliseconds. */
export function longestWaitMs(tiersMs: readonly number[]): number {
  return Math.ceil((tiersMs.at(-1) ?? 0) * (1 + MAX_JITTER));
}

/** To retry topic `tier` (from 0), or, where the route blocks, to wait in memory; not before that moment. */
export interface RetryStep {
  readonly kind: 'retry';
  readonly tier: number;
  readonly notBeforeMs: number;
  readonly attempt: number;
  readonly failure: DeliveryFailure;
}

/** What becomes of a record after a delivery that was tried. */
export type NextStep =
  | { readonly kind: 'done' }
  | RetryStep
  | { readonly kind: 'dead-letter'; readonly exhausted: boolean; readonly failure: DeliveryFailure }
  /** Not this record's affair: it waits where it is, with this attempt number, for as long as the sink's gate holds all. */
  | { readonly kind: 'held'; readonly attempt: number };

/**
 * The smallest tier whose delay covers the wait: a longer wait at the head of a shorter tier would hold up every
 * record behind it (docs/exactly-once.md, rule 11). `beyond` where no tier is long enough.
 * @internal
 */
export function chooseTier(tiersMs: readonly number[], waitMs: number): number | 'beyond' {
  const tier = tiersMs.findIndex((delayMs) => delayMs >= waitMs);
  return tier === -1 ? 'beyond' : tier;
}

/**
 * Decides after attempt number `attempt` (from 1). Each failure waits one tier longer, the last tier repeats;
 * `Retry-After` lengthens the wait, and a tier's delay is a minimum to which jitter only adds. A transient failure of
 * the last attempt is a dead letter whatever the target asks for; before that, a 429 whose Retry-After is beyond the
 * largest tier leaves the record in place: the gate holds everybody for that time. Any other answer speaks of its record
 * alone, and such a wait is cut to the largest tier.
 */
export function nextStep(input: {
  readonly attempt: number;
  readonly outcome: DeliveryOutcome;
  readonly policy: RetryPolicy;
  /** Milliseconds since the epoch: `notBeforeMs` is compared by another process. */
  readonly nowMs: number;
  readonly random?: () => number;
}): NextStep {
  const { attempt, outcome, policy, nowMs } = input;
  if (outcome.kind === 'delivered') return { kind: 'done' };
  const { failure } = outcome;
  const byRoute = failure.httpStatus === CONFLICT ? policy.conflict : undefined;
  if (outcome.kind === 'rejected' && byRoute === 'delivered') return { kind: 'done' };
  if (outcome.kind === 'rejected' && byRoute !== 'retry') return { kind: 'dead-letter', exhausted: false, failure };
  if (outcome.kind === 'misconfigured') return { kind: 'held', attempt };
  const { tiersMs, maxAttempts } = policy;
  const retryAfterMs = outcome.kind === 'retry' ? (outcome.retryAfterMs ?? 0) : 0;
  const usualMs = tiersMs[Math.min(attempt, tiersMs.length) - 1];
  if (usualMs === undefined || attempt >= maxAttempts) return { kind: 'dead-letter', exhausted: true, failure };
  const speaksOfAll = failure.httpStatus === 429;
  const askedMs = speaksOfAll ? retryAfterMs : Math.min(retryAfterMs, tiersMs.at(-1)!);
  const tier = chooseTier(tiersMs, Math.max(usualMs, askedMs));
  if (tier === 'beyond') return { kind: 'held', attempt: attempt + 1 };
  const jitterMs = tiersMs[tier]! * MAX_JITTER * (input.random ?? Math.random)();
  return {
    kind: 'retry',
    tier,
    notBeforeMs: Math.ceil(nowMs + tiersMs[tier]! + jitterMs),
    attempt: attempt + 1,
    failure,
  };
}
