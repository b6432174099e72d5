export { Batcher, type BatcherOptions, type DeliverySignals } from './batcher.ts';
export type { CircuitState } from './circuit-breaker.ts';
export type { Priority } from './priority-queue.ts';
export { nextStep, type NextStep, type RetryPolicy, type RetryStep } from './retry-policy.ts';
export { type CircuitOpen, SinkGate, type SinkGateOptions } from './sink-gate.ts';
export type { BatchLimits, Delivery, DeliveryFailure, DeliveryOutcome, Sink } from './sink.ts';
