import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const TESTING_ERRORS = {
  'stack-unavailable': {
    meaning: 'No provider brought up a Kafka and a schema registry.',
    remedy: 'See to what one of them needs.',
  },
  'stack-setting': {
    meaning: 'A setting of the stack cannot be followed.',
    remedy: 'Correct it, or leave it out: servers are then started here.',
    scope: 'usage',
  },
  'stack-control': {
    meaning: 'A running stack could not stop, start or kill a broker.',
    remedy: 'It is possible by index, with plain processes, while the stack is up.',
  },
  'provider-unavailable': {
    meaning: 'One provider cannot be used here.',
    remedy: 'Another one may do.',
  },
} as const satisfies ErrorTable;

export class TestingError extends errorsOf(TESTING_ERRORS) {}
