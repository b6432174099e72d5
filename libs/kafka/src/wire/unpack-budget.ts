import { KafkaError } from '../errors.ts';
import { decompress } from './codecs.ts';

/** What the batches of one fetch may unpack to in all: many small ones take as much memory as one large one. */
export class UnpackBudget {
  readonly #limit: number;
  readonly #enough: number;
  #left: number;

  /** `enough`: with so much unpacked no further batch is begun. */
  constructor(maxBytes: number, enough = maxBytes) {
    this.#limit = maxBytes;
    this.#enough = Math.min(enough, maxBytes);
    this.#left = maxBytes;
  }

  /**
   * The records of a batch; undefined where earlier batches have left too little for it: fetched again, it comes first.
   * Rejects with `decompression-limit` where it is larger than the whole, and as `decompress` does; the message says `where`.
   */
  async unpack(codec: number, body: Buffer, where?: string): Promise<Buffer | undefined> {
    if (this.#limit - this.#left >= this.#enough) return undefined;
    try {
      const records = await decompress(codec, body, this.#left, where);
      this.#left -= records.length;
      return records;
    } catch (error) {
      const isOver = error instanceof KafkaError && error.code === 'decompression-limit';
      if (!isOver || this.#left === this.#limit) throw error;
      this.#left = 0;
      return undefined;
    }
  }
}
