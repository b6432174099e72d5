import type { StoredDeadLetter } from '@genesys-kafka/dead-letters';

/** A retry of one record along one route, as it lies on its topic. */
export interface RetryFact {
  readonly topic: string;
  readonly attempt: number;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly cause: string;
  /** The route's group has passed it. */
  readonly settled: boolean;
}

/** What is known of one record along one route. */
export interface FateFacts {
  /** What the rule says now; a text where it fails. */
  readonly picks: boolean | { readonly fails: string };
  /** What the group of the route has committed in the record's partition; undefined where it has nothing there. */
  readonly committed: bigint | undefined;
  readonly offset: bigint;
  /** Where the route began in the record's partition, if not at its start. */
  readonly begun?: bigint | undefined;
  readonly retries: readonly RetryFact[];
  /** What was not looked at whole, such as `not all dead letters`: what would tell the record's fate may lie there. */
  readonly unseen?: string | undefined;
  /** Its dead letter was purged, which had been replayed at this moment, or, where it is empty, had not. */
  readonly purged?: string | undefined;
  /** That retries or replays were deleted before the group read them, in words; this record's may be among them. */
  readonly gap?: string | undefined;
  /** Of this record and route, oldest first. */
  readonly letters: readonly Pick<StoredDeadLetter, 'id' | 'deadLetter' | 'replayedAt'>[];
}

export interface Fate {
  readonly state:
    'not-picked' | 'waiting' | 'retrying' | 'delivered' | 'dead-letter' | 'replayed' | 'purged' | 'unknown';
  /** Why it is so, and what is next; each a sentence. */
  readonly why: string;
  readonly next: string;
}

const NOTHING = 'Nothing: it is done.';

/** What happened to a record along one route, as far as groups, retries and dead letters tell. */
export function fateOf({ picks, committed, offset, begun, retries, unseen, purged, gap, letters }: FateFacts): Fate {
  if (begun !== undefined && offset < begun && retries.length === 0 && letters.length === 0)
    return { state: 'not-picked', why: `The route began behind it, at offset ${begun}.`, next: NOTHING };
  if (committed === undefined || committed <= offset) {
    if (picks === false) return { state: 'not-picked', why: 'Its rule does not pick the record.', next: NOTHING };
    const behind = committed === undefined ? 'has committed nothing in its partition' : `stands at offset ${committed}`;
    return { state: 'waiting', why: `The route's group ${behind}.`, next: 'It is taken when the group comes to it.' };
  }
  const pending = retries.find(({ settled }) => !settled);
  if (pending) {
    const { topic, attempt, notBefore, cause } = pending;
    const why = `The delivery before attempt ${attempt} ended with ${cause}; it lies on ${topic}.`;
    return { state: 'retrying', why, next: `It is tried again, not before ${notBefore}.` };
  }
  const last = letters.at(-1);
  if (last && last.replayedAt === undefined) {
    const { cause, reason, attempts } = last.deadLetter;
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    const why = `It was given up after ${tries} (${cause}): ${reason}`;
    return {
      state: 'dead-letter',
      why,
      next: 'Mend the cause, then: consumer dead-letters replay with the same --key.',
    };
  }
  if (unseen !== undefined && (last !== undefined || picks !== false)) {
    const why = `The group has passed it; but ${unseen} were looked at: see the notes.`;
    return { state: 'unknown', why, next: 'Ask again, with more time (--within).' };
  }
  if (gap !== undefined && (last !== undefined || picks !== false)) {
    const replayed = last ? `It was given up (${last.deadLetter.cause}) and replayed at ${last.replayedAt!}; but ` : '';
    const again = 'consumer dead-letters replay --again-before with the same --key';
    const next = `Look at the target. Where it is not there: ${last ? again : 'publish its window again'}.`;
    return { state: 'unknown', why: `${replayed}${gap}.`, next };
  }
  if (last) {
    const why = `It was given up (${last.deadLetter.cause}), replayed at ${last.replayedAt!}, and settled since.`;
    return { state: 'replayed', why, next: NOTHING };
  }
  if (purged !== undefined) {
    const replayed = purged === '' ? 'not replayed' : `replayed at ${purged}`;
    const why = `It was given up, its dead letter was ${replayed}, and has been purged.`;
    return { state: 'purged', why, next: 'Nothing here knows more of it: look at the target.' };
  }
  if (picks === false) return { state: 'not-picked', why: 'Its rule does not pick the record.', next: NOTHING };
  if (picks !== true) {
    const why = `Its rule fails on the record now (${picks.fails}), and there is no dead letter of it.`;
    return { state: 'delivered', why, next: 'It was settled by another rule, or its dead letter is gone.' };
  }
  return {
    state: 'delivered',
    why: 'The group has passed it, and there is no retry and no dead letter.',
    next: NOTHING,
  };
}
