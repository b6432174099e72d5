import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const LEDGER_ERRORS = {
  'lane-interrupted': {
    meaning: 'A send or a commit of a lane failed, and what became of it is unknown.',
    remedy: 'What is committed stands: run the same command again to go on from there.',
  },
  'ledger-blocked': {
    meaning: 'The ledger cannot be read to its end: a transaction of another writer is open in it.',
    remedy: 'Brokers abort a dead writer after 30 to 40 s; try again then.',
    retry: true,
  },
  'ledger-unreadable': {
    meaning: 'An entry of the ledger is not in a form that this version knows.',
    remedy: 'Use the version that wrote it, or a newer one.',
  },
  'taken-over': {
    meaning: 'Another instance has claimed the lane that this one was working on.',
    remedy: 'It goes on from the last committed record; nothing is lost. Run one instance at a time.',
  },
} as const satisfies ErrorTable;

export class LedgerError extends errorsOf(LEDGER_ERRORS) {}
