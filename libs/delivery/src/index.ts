export { Batcher, type DeliverySignals } from './batcher.ts';
export type { CircuitState } from './circuit-breaker.ts';
export type { Lane, Priority } from './priority-queue.ts';
export { longestWaitMs, nextStep, type NextStep, type RetryPolicy, type RetryStep } from './retry-policy.ts';
export { SinkGate, type CircuitOpening } from './sink-gate.ts';
export type { BatchLimits, Delivery, DeliveryFailure, DeliveryOutcome, Sink } from './sink.ts';
