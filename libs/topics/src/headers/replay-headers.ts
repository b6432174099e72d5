/** Headers that a replayed dead letter takes along, beside those of the retry topics. */
export const REPLAY_HEADER = {
  /** Identity of the dead letter that this record was. */
  replayOf: 'replay-of',
  /** Deliveries tried before the replays: the attempts of a later dead letter go on counting from here. */
  priorAttempts: 'prior-attempts',
} as const;

/**
 * Headers of the records that `replay` leaves in the dead-letter topic beside the letters: a marker (no value) says that
 * a letter was replayed, in the transaction that replays it; a claim (no value) marks the end that a replay reads to.
 */
export const MARKER_HEADER = { replayed: 'replay-marker', at: 'replayed-at', claim: 'replay-claim' } as const;
