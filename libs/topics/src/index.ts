export { TopicsError } from './errors.ts';
export { frame, frameHeader } from './framing.ts';
export {
  DEAD_LETTER_HEADER,
  DEAD_LETTER_STAGES,
  type DeadLetter,
  deadLetterIdentity,
  type DeadLetterStage,
  formatDeadLetter,
  parseDeadLetter,
} from './headers/dead-letter-headers.ts';
export { encodeToken, type HeaderMap, printableText } from './headers/header-text.ts';
export {
  type Change,
  formatRecordHeaders,
  idempotencyKey,
  parseRecordHeaders,
  RECORD_HEADER,
  type RecordOrigin,
  type TopicPosition,
} from './headers/record-headers.ts';
export { MARKER_HEADER, REPLAY_HEADER } from './headers/replay-headers.ts';
export { formatRetryHeaders, parseRetryHeaders, RETRY_HEADER } from './headers/retry-headers.ts';
export { partitionFor } from './partitioner.ts';
export {
  bodyOf,
  framingOf,
  parseRecord,
  RecordReader,
  type RecordValue,
  type SchemaCheck,
  type SchemaProblem,
  type Unreadable,
  unreadableIn,
} from './record-value.ts';
export {
  checkTopic,
  LANES,
  type TopicDescription,
  topicRisks,
  type TopicSize,
  type TopicSpec,
  topicSpecs,
  type TopicSpecs,
} from './topic-specs.ts';
