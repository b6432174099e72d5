import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const LEDGER_ERRORS = {
  'data-missing': {
    meaning: 'The data topic is gone, and the ledger says what was published to it.',
    remedy:
      'Create it again by hand, with the partitions that it had, and publish what readers miss with --again; ' +
      'or use another topic prefix.',
  },
  'lane-interrupted': {
    meaning: 'A send or a commit of a lane failed, and what became of it is unknown.',
    remedy: 'What is committed stands: run the same command again to go on from there.',
  },
  'ledger-blocked': {
    meaning: 'The ledger cannot be read to its end: a transaction of another writer is open in it.',
    remedy: 'Brokers abort a dead writer after 30 to 40 s; try again then.',
    retry: true,
  },
  'ledger-missing': {
    meaning: 'The ledger is gone, empty or cut off, and records are published: they would be published again.',
    remedy:
      'Restore it, or use another topic prefix. To begin a new ledger knowingly, start once with --new-ledger: ' +
      'what is exported again is then published again.',
  },
  'ledger-unreadable': {
    meaning: 'An entry of the ledger is not in a form that this version knows.',
    remedy: 'Use the version that wrote it, or a newer one.',
  },
  'partitions-changed': {
    meaning: 'The data topic has another number of partitions than when records were published to it.',
    remedy:
      'Use another topic prefix to keep the order of each key. Where readers can bear that keys move, start once ' +
      'with --accept-partitions.',
  },
  'taken-over': {
    meaning: 'Another instance has claimed the lane that this one was working on.',
    remedy: 'It goes on from the last committed record; nothing is lost. Run one instance at a time.',
  },
} as const satisfies ErrorTable;

export class LedgerError extends errorsOf(LEDGER_ERRORS) {}

export type LedgerErrorCode = keyof typeof LEDGER_ERRORS;
