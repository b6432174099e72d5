import { OperationalError } from '@genesys-kafka/resilience';

/**
 * | class | code | what to do |
 * |---|---|---|
 * | BrokenStructureError | broken-json | the source ends here; the records before `ordinal` stand |
 * | TrailingTextError | trailing-text | the document is more than one: split it, or repair the source |
 * | UnsupportedEncodingError | unsupported-encoding | convert the file to UTF-8 |
 * | MissingConversationsError | conversations-missing | the document is not a page of conversations |
 * | EnvelopeTooLargeError | envelope-too-large | the members beside `conversations` exceed 1 MiB |
 */
export interface Place {
  /** Records completed before the fault, which is also the ordinal of the record that it breaks. */
  readonly ordinal: number;
  /** Byte offset in the decompressed document. */
  readonly offset: number;
}

/** Brackets, commas or strings do not add up, so nothing after this place can be told apart reliably. */
export class BrokenStructureError extends OperationalError {
  constructor(reason: string, place: Place) {
    super(
      'broken-json',
      `The JSON breaks in record ${place.ordinal}, at byte ${place.offset}: ${reason}. ` +
        'The records before it stand; fetch or repair the source.',
      { scope: 'source', details: { ...place } },
    );
  }
}

/** Something follows the end of the document: what was read may be a part of what was meant. */
export class TrailingTextError extends OperationalError {
  constructor({ ordinal, offset }: Place) {
    super(
      'trailing-text',
      `More text follows the end of the JSON document, at byte ${offset} (records before it: ${ordinal}). ` +
        'Make it one array, or one record a line.',
      { scope: 'source', details: { ordinal, offset } },
    );
  }
}

/** UTF-16 or UTF-32: a byte scanner would find brackets where there are none. */
export class UnsupportedEncodingError extends OperationalError {
  constructor(place: Place) {
    super(
      'unsupported-encoding',
      `The document is not UTF-8 (byte ${place.offset} is a UTF-16 or UTF-32 sign); convert it to UTF-8.`,
      { scope: 'source', details: { ...place } },
    );
  }
}

/** The top-level object has no array `conversations`. */
export class MissingConversationsError extends OperationalError {
  constructor(found: 'no member' | 'null' | 'another type', place: Place) {
    super(
      'conversations-missing',
      found === 'no member'
        ? 'The top-level object has no member "conversations": expected an array of records, or an object that holds it.'
        : `The member "conversations" is ${found === 'null' ? 'null' : 'not an array'}: expected an array of records.`,
      { scope: 'source', details: { ...place } },
    );
  }
}

/** Raised when the envelope is read, since a page's cursor may be in the part that was not kept. */
export class EnvelopeTooLargeError extends OperationalError {
  constructor(maxBytes: number) {
    super(
      'envelope-too-large',
      `The members beside "conversations" exceed ${maxBytes} bytes and were not kept; the page cannot be followed.`,
      { scope: 'source' },
    );
  }
}
