export { type DeadLetterFilter, DeadLetterLog, openDeadLetterLog, type StoredDeadLetter } from './dead-letter-log.ts';
export {
  countDeadLetters,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  type DeadLetterSummary,
  listDeadLetters,
  showDeadLetter,
} from './dead-letter-report.ts';
export { DEAD_LETTER_ERRORS, DeadLetterError } from './errors.ts';
export { replayDeadLetters, type ReplayOptions, type ReplayReport } from './replay.ts';
