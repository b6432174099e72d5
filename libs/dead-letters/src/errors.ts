import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const DEAD_LETTER_ERRORS = {
  'dead-letter-missing': {
    meaning: 'There is no dead letter with the id that is asked for.',
    remedy: 'Take the id from: consumer dead-letters list.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

export class DeadLetterError extends errorsOf(DEAD_LETTER_ERRORS) {}
