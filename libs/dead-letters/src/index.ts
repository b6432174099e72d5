export { DeadLetterLog, type LetterFilter, openDeadLetterLog, type StoredLetter } from './dead-letter-log.ts';
export { replayDeadLetters, type ReplayReport } from './replay.ts';
