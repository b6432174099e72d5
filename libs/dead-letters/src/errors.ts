import { partitionName, type TopicPartition } from '@genesys-kafka/kafka';
import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const DEAD_LETTER_ERRORS = {
  'dead-letter-missing': {
    meaning: 'There is no dead letter with the id that is asked for.',
    remedy: 'Take the id from: consumer dead-letters list.',
    scope: 'usage',
  },
  'replay-blocked': {
    meaning: 'The dead-letter topic cannot be read to its end: a transaction of another writer is open in it.',
    remedy: 'Brokers abort a dead writer after 30 to 40 s; try again then.',
    retry: true,
  },
} as const satisfies ErrorTable;

export class DeadLetterError extends errorsOf(DEAD_LETTER_ERRORS) {}

/** Nothing was replayed yet: the claim of this replay stayed behind another transaction. */
export function replayBlocked(target: TopicPartition, waitedMs: number): DeadLetterError {
  const where = `${partitionName(target)} within ${Math.round(waitedMs / 1000)} s`;
  return new DeadLetterError('replay-blocked', `The claim of this replay did not become readable in ${where}.`);
}
