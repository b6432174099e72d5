import { giveBack } from '@genesys-kafka/resilience/memory';
import type { EncodedBatch, OutgoingRecord } from '../port.ts';
import { compress, compressSync, decompress, CODEC_NAMES, type KafkaCompression } from './codecs.ts';
import { decodeRecords } from './record-batch.ts';
import { EncodedRecords, type EncodedHeaders } from './record-encoder.ts';

/** Gathers the records of one batch, one after the other; their bytes must not change before it is built. */
export class BatchBuilder {
  readonly #maxBytes: number;
  readonly #records: EncodedRecords;

  /** `maxBytes`: of several records, before compression. `common`: what the headers of all of them begin with. */
  constructor(maxBytes = Number.POSITIVE_INFINITY, common?: EncodedHeaders) {
    this.#maxBytes = maxBytes;
    this.#records = new EncodedRecords([], common);
  }

  /** Encoded, before compression. */
  get bytes(): number {
    return this.#records.bytes;
  }

  /** False where there is no room for the record. There is for the first. */
  add(record: OutgoingRecord): boolean {
    return this.#records.add(record, this.#maxBytes);
  }

  /** Encodes into `memory`, which has `bytes` bytes, and compresses that where it is called. */
  build(compression: KafkaCompression, memory: Buffer = Buffer.allocUnsafeSlow(this.bytes)): EncodedBatch {
    this.#records.writeTo(memory);
    return this.#batch(compression, compressSync(compression, memory));
  }

  /** The same, compressed on the thread pool. */
  async buildOnPool(compression: KafkaCompression): Promise<EncodedBatch> {
    const memory = Buffer.allocUnsafeSlow(this.bytes);
    this.#records.writeTo(memory);
    const bytes = await compress(compression, memory);
    if (bytes !== memory) giveBack(memory);
    return this.#batch(compression, bytes);
  }

  #batch(compression: KafkaCompression, bytes: Buffer): EncodedBatch {
    return { count: this.#records.count, compression, rawBytes: this.bytes, bytes };
  }
}

/** Records of any number as one batch. */
export async function encodeBatch(
  records: readonly OutgoingRecord[],
  compression: KafkaCompression,
): Promise<EncodedBatch> {
  const builder = new BatchBuilder();
  for (const record of records) builder.add(record);
  return builder.buildOnPool(compression);
}

/** The records again, in their order. */
export async function decodeBatch({ compression, count, rawBytes, bytes }: EncodedBatch): Promise<OutgoingRecord[]> {
  return decodeRecords(await decompress(CODEC_NAMES.indexOf(compression), bytes, rawBytes), count);
}
