import { errorsOf, type ErrorFacts, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library; each ends the source that it is found in. */
export const PARSER_ERRORS = {
  'broken-json': {
    meaning: 'Brackets, commas or strings do not add up, so nothing after that place can be told apart reliably.',
    remedy: 'The records before it stand; fetch or repair the source.',
    scope: 'source',
  },
  'trailing-text': {
    meaning: 'Something follows the end of the document: what was read may be a part of what was meant.',
    remedy: 'Make it one array, or one record a line.',
    scope: 'source',
  },
  'unsupported-encoding': {
    meaning: 'The document is UTF-16 or UTF-32, where a scanner of bytes would find brackets that are none.',
    remedy: 'Convert it to UTF-8.',
    scope: 'source',
  },
  'conversations-missing': {
    meaning: 'The document is an object without an array "conversations".',
    remedy: 'Give an array of records, an object that holds one as "conversations", or one record a line.',
    scope: 'source',
  },
  'envelope-too-large': {
    meaning: 'The members beside "conversations" are too large to be kept, and a cursor may be among them.',
    remedy: 'Fetch the source again: no page of results has so much beside its records.',
    scope: 'source',
  },
} as const satisfies ErrorTable;

/** A document that cannot be read on. `details` hold the place of the fault (see `Place`), `envelope-too-large` apart. */
export class ParserError extends errorsOf(PARSER_ERRORS) {
  /** What happened, without what to do: for whoever knows better where in the whole this document stands. */
  readonly what: string;

  constructor(code: keyof typeof PARSER_ERRORS, what: string, facts: ErrorFacts = {}) {
    super(code, what, facts);
    this.what = what;
  }
}

/** Where a fault was found. */
export interface Place {
  /** Records completed before the fault, which is also the ordinal of the record that it breaks. */
  readonly ordinal: number;
  /** Byte offset in the decompressed document. */
  readonly offset: number;
}

export function brokenJson(reason: string, { ordinal, offset }: Place): ParserError {
  const what = `The JSON breaks in record ${ordinal}, at byte ${offset}: ${reason}.`;
  return new ParserError('broken-json', what, { details: { ordinal, offset } });
}

export function trailingText({ ordinal, offset }: Place): ParserError {
  const what = `More text follows the end of the JSON document, at byte ${offset} (records before it: ${ordinal}).`;
  return new ParserError('trailing-text', what, { details: { ordinal, offset } });
}

export function conversationsMissing(problem: string, { ordinal, offset }: Place): ParserError {
  return new ParserError('conversations-missing', problem, { details: { ordinal, offset } });
}
