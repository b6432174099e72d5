/** Headers that a replayed dead letter takes along, beside those of the retry topics. */
export const REPLAY_HEADER = {
  /** Identity of the dead letter that this record was. */
  replayOf: 'replay-of',
  /** Deliveries tried before the replays: the attempts of a later dead letter go on counting from here. */
  priorAttempts: 'prior-attempts',
  /** How often it was replayed, this time included. */
  replays: 'replays',
} as const;

/**
 * Headers of the records that the commands leave in the dead-letter topic beside the letters, all without a value: a
 * marker says that a letter was replayed, in the transaction that replays it, or purged; a claim marks the end that a
 * replay reads to; an action says who did what, as JSON.
 */
export const MARKER_HEADER = {
  replayed: 'replay-marker',
  purged: 'purge-marker',
  at: 'replayed-at',
  claim: 'replay-claim',
  action: 'letters-action',
} as const;
