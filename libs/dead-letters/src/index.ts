export { recorded } from './actions/letter-actions.ts';
export { purgeDeadLetters, type PurgeReport } from './actions/purge.ts';
export { assertNamesKnown } from './letters/known-names.ts';
export {
  countDeadLetters,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  listDeadLetters,
  showDeadLetter,
} from './letters/letter-report.ts';
export { Letters, marksOnly } from './letters/letters.ts';
export { ObjectLetters } from './letters/object-letters.ts';
export type { LetterFilter, StoredDeadLetter } from './letters/stored-dead-letter.ts';
export { openTopicLetters, TopicLetters } from './letters/topic-letters.ts';
export { encodeLetter, type LetterRecord } from './objects/letter-line.ts';
export { type LetterKeeper, LetterObjects } from './objects/letter-objects.ts';
export { NO_ROUTE } from './objects/letter-path.ts';
export { connectLetterPlace, type LetterPlace } from './objects/letter-place.ts';
export { checkLetterPlace, openLetterObjects } from './objects/open-letter-objects.ts';
export { replayDeadLetters, type ReplayOptions, type ReplayReport } from './replay/replay.ts';
