export { RoutingOptionError } from './errors.ts';
export type { Priority } from './priority-queue.ts';
export { checkRetryPolicy, chooseTier, nextStep, type NextStep, type RetryPolicy } from './retry-policy.ts';
export {
  type CircuitOpen,
  type CircuitState,
  SinkGate,
  type SinkGateOptions,
  type SinkGateStats,
} from './sink-gate.ts';
export type { Delivery, DeliveryFailure, DeliveryOutcome, Sink } from './sink.ts';
