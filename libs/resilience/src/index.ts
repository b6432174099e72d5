export { backoffMs, type BackoffOptions } from './backoff.ts';
export { systemClock, type Clock } from './clock.ts';
export { settledWithin, unlessAborted, untilAborted, within } from './deadline.ts';
export {
  endsSourceOnly,
  errorsOf,
  isRetryable,
  OperationalError,
  type ErrorDescription,
  type ErrorFacts,
  type ErrorTable,
  type OperationalErrorOptions,
  type Scope,
} from './errors.ts';
export { retry, type RetryOptions } from './retry.ts';
export { type Permit, SlidingWindow } from './sliding-window.ts';
