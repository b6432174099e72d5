export {
  countDeadLetters,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  listDeadLetters,
  showDeadLetter,
} from './letters/letter-report.ts';
export { Letters } from './letters/letters.ts';
export { ObjectLetters } from './letters/object-letters.ts';
export type { LetterFilter, LetterStore } from './letters/stored-dead-letter.ts';
export { openTopicLetters, TopicLetters } from './letters/topic-letters.ts';
export type { LetterRecord } from './objects/letter-line.ts';
export { type LetterKeeper, LetterObjects } from './objects/letter-objects.ts';
export { connectLetterPlace, type LetterPlace } from './objects/letter-place.ts';
export { checkLetterPlace, type KeeperSettings, openLetterObjects } from './objects/open-letter-objects.ts';
export { replayDeadLetters, type ReplayOptions, type ReplayReport } from './replay/replay.ts';
