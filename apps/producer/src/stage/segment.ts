import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { PLACE_NUMBERS, type Segment } from './thread-messages.ts';

/** Makes batches of half a MiB for each of six partitions. A longer record has a segment of its own. */
export const SEGMENT_BYTES = 3 * 1024 * 1024;
/** A segment may be thousands of tiny records, each of which takes a few hundred bytes of headers. */
const MAX_RECORDS = 4000;
const MAX_POOLED = 4;

/** Memory of segments that were staged. */
const pool: SharedArrayBuffer[] = [];

/** Copies records, one after the other, into a segment's memory: whatever chunk they came in may be let go. */
export class SegmentWriter {
  readonly #isStaged: boolean;
  readonly #firstOrdinal: number;
  readonly #buffer: SharedArrayBuffer;
  readonly #target: Uint8Array;
  readonly #places: number[] = [];
  #end = 0;

  /** `first`: the record that it is to begin with. */
  constructor(first: ScannedRecord, isStaged: boolean) {
    const bytes = first.bytes?.length ?? 0;
    this.#firstOrdinal = first.ordinal;
    this.#isStaged = isStaged;
    this.#buffer =
      (bytes <= SEGMENT_BYTES ? pool.pop() : undefined) ?? new SharedArrayBuffer(Math.max(bytes, SEGMENT_BYTES));
    this.#target = new Uint8Array(this.#buffer);
  }

  fits({ bytes }: ScannedRecord): boolean {
    const isFree = this.#end + (bytes?.length ?? 0) <= this.#buffer.byteLength;
    return isFree && this.#places.length < MAX_RECORDS * PLACE_NUMBERS;
  }

  add({ bytes, length, offset, members }: ScannedRecord): void {
    this.#places.push(bytes ? this.#end : -1, length, offset, members);
    if (!bytes) return;
    this.#target.set(bytes, this.#end);
    this.#end += length;
  }

  end(): Segment {
    return {
      buffer: this.#buffer,
      firstOrdinal: this.#firstOrdinal,
      places: Float64Array.from(this.#places),
      isStaged: this.#isStaged,
    };
  }
}

/** When nobody reads the segment any more. */
export function giveBack({ buffer }: Segment): void {
  if (buffer.byteLength === SEGMENT_BYTES && pool.length < MAX_POOLED) pool.push(buffer);
}
