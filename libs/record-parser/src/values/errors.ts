import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const VALUES_ERRORS = {
  'values-unreadable': {
    meaning: 'A file of JSON values cannot be opened, read or unpacked.',
    remedy: 'Check its path and permissions, and whether it is whole.',
    scope: 'usage',
  },
  'values-broken': {
    meaning: 'A file of JSON values breaks the rules of JSON, is not UTF-8, or holds more than one document.',
    remedy: 'Repair it: it holds an array of records, an object with `conversations`, or records one after the other.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

/** A file of values that cannot be read to its end; the values before the fault have been handed out. */
export class ValuesError extends errorsOf(VALUES_ERRORS) {
  /** `ordinal` is the value that cannot be read, `what` completes the sentence. */
  static broken(ordinal: number, what: string): ValuesError {
    return new ValuesError('values-broken', `The JSON breaks in record ${ordinal}: ${what}.`, { details: { ordinal } });
  }
}
