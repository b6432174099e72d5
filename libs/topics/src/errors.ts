import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Faults of one record: it becomes a dead letter, the run goes on. */
export const TOPICS_ERRORS = {
  'frame-missing': {
    meaning: 'A record has no value where one in Confluent’s wire format is expected.',
    remedy: 'Was it written by a producer that deletes by key?',
    scope: 'source',
  },
  'frame-too-short': {
    meaning: 'A value is shorter than the frame of Confluent’s wire format.',
    remedy: 'Was it written by a producer without a schema registry?',
    scope: 'source',
  },
  'frame-wrong-magic': {
    meaning: 'A value does not start with the magic byte of Confluent’s wire format.',
    remedy: 'Was it written by a producer without a schema registry?',
    scope: 'source',
  },
  'header-invalid': {
    meaning: 'A header of a retry or dead-letter record is missing or not as this program writes it.',
    remedy: 'This record was not moved here by this program, or was damaged on the way.',
    scope: 'source',
  },
} as const satisfies ErrorTable;

export class TopicsError extends errorsOf(TOPICS_ERRORS) {}
