export { backoffMs, type BackoffOptions } from './backoff.ts';
export { systemClock, type Clock } from './clock.ts';
export { isRetryable, OperationalError, type OperationalErrorOptions, type Scope } from './errors.ts';
export { retry, type RetryOptions } from './retry.ts';
export { SlidingWindow } from './sliding-window.ts';
