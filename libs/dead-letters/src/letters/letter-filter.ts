import { NO_ROUTE } from '../objects/letter-path.ts';
import type { LetterFilter, StoredDeadLetter } from './stored-dead-letter.ts';

/** The name under which a dead letter is listed by route: its own, or the producer's where it never came to one. */
export function routeName({ route }: { readonly route?: string }): string {
  return route ?? NO_ROUTE;
}

export function passes(letter: StoredDeadLetter, filter: LetterFilter): boolean {
  const { deadLetter, key, replayedAt } = letter;
  const { id, route, stage, cause, sinceMs, untilMs, key: wantedKey, state, where } = filter;
  return (
    (id === undefined || letter.id === id) &&
    (route === undefined || routeName(deadLetter) === route) &&
    (stage === undefined || deadLetter.stage === stage) &&
    (cause === undefined || deadLetter.cause === cause) &&
    (sinceMs === undefined || deadLetter.timestampMs >= sinceMs) &&
    (untilMs === undefined || deadLetter.timestampMs < untilMs) &&
    (wantedKey === undefined || key?.toString('utf8') === wantedKey) &&
    (state === undefined || (replayedAt === undefined) === (state === 'open')) &&
    (where === undefined || where(letter))
  );
}
