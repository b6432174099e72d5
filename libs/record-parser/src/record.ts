/** One element of the document, kept as the bytes it came in. */
export interface ScannedRecord {
  /** Position in the document, from 0. */
  readonly ordinal: number;
  /** Byte offset in the (decompressed) document, a byte order mark included. */
  readonly offset: number;
  readonly length: number;
  /**
   * The original bytes; undefined when longer than `maxRecordBytes`. They share the memory of the chunk that they end
   * in: a source may have it back with the next call.
   */
  readonly bytes: Buffer | undefined;
  /** Colons outside strings, nested objects included: more than the parsed value's keys means duplicate keys. */
  readonly members: number;
}

/**
 * A document is told by its beginning: `[` begins an array, `{` an object with `conversations` or, when that object has
 * a `conversationId` or another line follows it, NDJSON.
 */
export interface ScanOptions {
  /** A longer record is reported without its bytes. */
  readonly maxRecordBytes: number;
  /** Brackets open at once inside one record; one more is broken structure. */
  readonly maxDepth: number;
  /** Takes a page of Genesys' results and nothing else: an object, which holds no records without `conversations`. */
  readonly page?: boolean;
}
