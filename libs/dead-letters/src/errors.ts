import { partitionName, type TopicPartition } from '@genesys-kafka/kafka';
import type { ObjectStoreError } from '@genesys-kafka/object-store';
import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const DEAD_LETTER_ERRORS = {
  'dead-letter-missing': {
    meaning: 'There is no dead letter with the id that is asked for.',
    remedy: 'Take the id from: consumer dead-letters list.',
    scope: 'usage',
  },
  'filter-name-unknown': {
    meaning:
      'A filter names a route or a cause that no dead letter has, nor the configuration, and that is none of the usual ones.',
    remedy: 'Take a name from: consumer dead-letters stats.',
    scope: 'usage',
  },
  'letter-mark-unreadable': {
    meaning: 'An object that says which dead letters were replayed is damaged, or of a later version of this program.',
    remedy:
      'Restore the object, or use the version that wrote it. Whoever deletes it has its dead letters replayed again.',
  },
  'letter-store-away': {
    meaning: 'The object storage of dead letters does not answer, or fails.',
    remedy: 'Check deadLetters.objects.endpoint, network and proxy.',
    retry: true,
  },
  'letter-store-refuses': {
    meaning: 'The object storage of dead letters refuses what is asked of it: bucket, login or right.',
    remedy: 'Correct what it says under deadLetters.objects, or the rights of its login.',
  },
  'replay-blocked': {
    meaning: 'The dead-letter topic cannot be read to its end: a transaction of another writer is open in it.',
    remedy: 'Brokers abort a dead writer after 30 to 40 s; try again then.',
    retry: true,
  },
  'replay-taken-over': {
    meaning: 'Another replay of this connector has begun, and this one has ended. Nothing goes twice.',
    remedy: 'See with `dead-letters stats` who replays what. Once that has ended, give this command again: it goes on.',
  },
} as const satisfies ErrorTable;

export class DeadLetterError extends errorsOf(DEAD_LETTER_ERRORS) {}

/** Nothing was replayed yet: the claim of this replay stayed behind another transaction. */
export function replayBlocked(target: TopicPartition, waitedMs: number): DeadLetterError {
  const where = `${partitionName(target)} within ${Math.round(waitedMs / 1000)} s`;
  return new DeadLetterError('replay-blocked', `The claim of this replay did not become readable in ${where}.`);
}

/** Also where the brokers have ended a transaction that took too long, as of a process that was halted. */
export function replayTakenOver(cause: unknown): DeadLetterError {
  return new DeadLetterError('replay-taken-over', 'Another replay of this connector has taken over.', { cause });
}

/** Nothing is replayed past it: what it says was replayed would be so twice. */
export function markUnreadable(object: string, cause?: unknown): DeadLetterError {
  return new DeadLetterError('letter-mark-unreadable', `The marks in ${object} cannot be read.`, { cause });
}

/** A storage that answers as if it had written. */
export function letterNotKept(object: string): DeadLetterError {
  return new DeadLetterError('letter-store-refuses', `${object} was written, and is not there as it was written.`);
}

/** What an object storage says, with the names that its settings have here. */
export function letterStoreFailure(error: ObjectStoreError): DeadLetterError {
  // With its code, as it stands in the cause, which is then not told a second time.
  const said = `${error.code}: ${error.message}`;
  return new DeadLetterError(error.retry ? 'letter-store-away' : 'letter-store-refuses', said, {
    remedy: `Dead letters are kept there, by ${LETTER_OBJECTS}.`,
    details: { reason: error.code },
    cause: error,
  });
}

/** Where the settings of the storage stand. */
export const LETTER_OBJECTS = 'deadLetters.objects';
