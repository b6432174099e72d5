export { type DeadLetterFilter, DeadLetterLog, openDeadLetterLog } from './dead-letter-log.ts';
export {
  countDeadLetters,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  listDeadLetters,
  showDeadLetter,
} from './dead-letter-report.ts';
export { replayDeadLetters, type ReplayReport } from './replay.ts';
