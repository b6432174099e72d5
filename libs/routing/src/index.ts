export {
  DEAD_LETTER_HEADER,
  DEAD_LETTER_STAGES,
  deadLetterIdentity,
  formatDeadLetter,
  parseDeadLetter,
  type DeadLetter,
  type DeadLetterStage,
  type SourcePosition,
} from './dead-letter.ts';
export { HeaderError, RoutingOptionError, RuleError } from './errors.ts';
export { printableText, type HeaderMap } from './header-text.ts';
export {
  formatRecordHeaders,
  idempotencyKey,
  parseRecordHeaders,
  RECORD_HEADER,
  type RecordOrigin,
  type TopicPosition,
} from './record-headers.ts';
export { formatRetryHeaders, parseRetryHeaders, RETRY_HEADER, retryRoute, type RetryState } from './retry-headers.ts';
export { checkRetryPolicy, chooseTier, nextStep, type NextStep, type RetryPolicy } from './retry-policy.ts';
export { compileRule, type Rule, type RuleInput, type RuleVerdict } from './rule.ts';
export {
  SinkGate,
  type CircuitOpen,
  type CircuitState,
  type SinkGateOptions,
  type SinkGateStats,
} from './sink-gate.ts';
export type { Priority } from './priority-queue.ts';
export type { Delivery, DeliveryFailure, DeliveryOutcome, Sink } from './sink.ts';
