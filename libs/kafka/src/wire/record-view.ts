import type { RecordView } from '../port.ts';
import type { VarintReader } from './varint-reader.ts';

/** One object for all records of a batch: making none for each is what a view is for. */
export class MovingView implements RecordView {
  readonly bytes: Buffer;
  readonly #baseOffset: bigint;
  #offsetDelta = 0;
  keyFrom = 0;
  keyTo = -1;
  valueFrom = 0;
  valueTo = -1;

  constructor(bytes: Buffer, baseOffset: bigint) {
    this.bytes = bytes;
    this.#baseOffset = baseOffset;
  }

  get offset(): bigint {
    return this.#baseOffset + BigInt(this.#offsetDelta);
  }

  /** Moves on to the record that the reader stands at, and the reader to its end; false where that is not where it should be. */
  read(reader: VarintReader): boolean {
    const end = reader.varint() + reader.at;
    reader.skip(1);
    reader.varint();
    this.#offsetDelta = reader.varint();
    const keyLength = reader.varint();
    this.keyFrom = reader.at;
    this.keyTo = reader.at + keyLength;
    reader.skip(Math.max(0, keyLength));
    const valueLength = reader.varint();
    this.valueFrom = reader.at;
    this.valueTo = reader.at + valueLength;
    reader.skip(Math.max(0, valueLength));
    for (let parts = 2 * reader.varint(); parts > 0; parts -= 1) reader.skip(Math.max(0, reader.varint()));
    return reader.at === end;
  }
}
