import { KafkaError } from '../errors.ts';

/** Kafka's zig-zag variable-length integers, and byte strings with such a length in front (-1 is null). */
export class VarintReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Also for 64-bit values: exact up to 2^53, which timestamps stay below. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) throw new KafkaError('record-batch-corrupt', 'A record batch ends inside a record.');
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.at;
    this.skip(length);
    return this.#bytes.subarray(start, this.at);
  }

  text(): string | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.at;
    this.skip(length);
    return this.#bytes.toString('utf8', start, this.at);
  }

  /** The bytes that `read` goes over. */
  since(read: () => void): Buffer {
    const start = this.at;
    read();
    return this.#bytes.subarray(start, this.at);
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.#bytes.length) {
      throw new KafkaError('record-batch-corrupt', 'A record batch ends inside a record.');
    }
  }
}
