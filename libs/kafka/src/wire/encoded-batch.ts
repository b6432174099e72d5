import type { EncodedBatch, OutgoingRecord } from '../port.ts';
import { compress, decompress, CODEC_NAMES, type KafkaCompression } from './codecs.ts';
import { decodeRecords } from './record-batch.ts';
import { bodyBytes, varintBytes, writeRecord, type EncodedHeaders } from './record-encoder.ts';

/** Gathers the records of one batch, one after the other; their bytes must not change before it is built. */
export class BatchBuilder {
  readonly #maxBytes: number;
  readonly #common: EncodedHeaders | undefined;
  readonly #records: OutgoingRecord[] = [];
  readonly #bodies: number[] = [];
  #bytes = 0;

  /** `maxBytes`: of several records, before compression. `common`: what the headers of all of them begin with. */
  constructor(maxBytes = Number.POSITIVE_INFINITY, common?: EncodedHeaders) {
    this.#maxBytes = maxBytes;
    this.#common = common;
  }

  /** Encoded, before compression. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False where there is no room for the record. There is for the first. */
  add(record: OutgoingRecord): boolean {
    const body = bodyBytes(record, this.#records.length, this.#common);
    const end = this.#bytes + varintBytes(body) + body;
    if (this.#records.length > 0 && end > this.#maxBytes) return false;
    this.#records.push(record);
    this.#bodies.push(body);
    this.#bytes = end;
    return true;
  }

  /** Encodes into `memory`, which has `bytes` bytes, and compresses that on the thread pool. */
  async build(
    compression: KafkaCompression,
    memory: Buffer = Buffer.allocUnsafeSlow(this.#bytes),
  ): Promise<EncodedBatch> {
    let at = 0;
    this.#records.forEach((record, index) => {
      at = writeRecord(memory, at, record, index, this.#bodies[index]!, this.#common);
    });
    if (at !== this.#bytes) throw new Error(`${at} bytes were written where ${this.#bytes} were counted: a bug.`);
    const bytes = compression === 'none' ? memory : await compress(CODEC_NAMES.indexOf(compression), memory);
    return { count: this.#records.length, compression, rawBytes: this.#bytes, bytes };
  }
}

/** The records again, in their order. */
export async function decodeBatch({ compression, count, rawBytes, bytes }: EncodedBatch): Promise<OutgoingRecord[]> {
  return decodeRecords(await decompress(CODEC_NAMES.indexOf(compression), bytes, rawBytes), count);
}
