import { fitsCompressed, type KafkaCompression } from '@genesys-kafka/kafka/wire';
import { frameHeader, type DeadLetter } from '@genesys-kafka/topics';

/** A topic as the pipeline needs it. */
export interface Target {
  readonly topic: string;
  readonly partitions: number;
  /** `max.message.bytes` of the topic. */
  readonly maxMessageBytes: number;
}

/** Where records go, and how they are written there: the same for all sources. */
export interface EncodeOptions {
  readonly schemaId: number;
  readonly compression: KafkaCompression;
  readonly data: Target;
  readonly deadLetters: Target;
  /** A batch is closed before it is larger than this, uncompressed. */
  readonly batchBytes: number;
}

/** Room for headers, key and batch framing below `max.message.bytes`. */
const OVERHEAD_BYTES = 64 * 1024;
/** A key is part of what `max.message.bytes` measures; it has to fit into the overhead. */
const MAX_KEY_BYTES = 8 * 1024;

/** The most one send may hold, uncompressed, for a topic of this limit. */
export function maxSendBytes(target: Pick<Target, 'maxMessageBytes'>): number {
  return target.maxMessageBytes - OVERHEAD_BYTES;
}

export function fitsAsKey(key: string): boolean {
  return Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/**
 * From a record's bytes to a message's value, valid records and dead letters alike: what a value looks like is known
 * here and nowhere else in this program.
 */
export class ValueEncoder {
  readonly #frame: Buffer;
  readonly #compression: KafkaCompression;

  constructor(schemaId: number, compression: KafkaCompression) {
    this.#frame = frameHeader(schemaId);
    this.#compression = compression;
  }

  /** A valid record: the schema's frame and the bytes as they came, not joined. Undefined where the topic cannot take it. */
  encode(bytes: Buffer, target: Target): readonly Buffer[] | undefined {
    return this.#fits(bytes, target) ? [this.#frame, bytes] : undefined;
  }

  /**
   * A record that was given up: the bytes as they came, since they may be of no schema. Null where there are none or
   * where the topic cannot take them; the record is then pointed to by source, ordinal and byte range.
   */
  encodeDeadLetter(bytes: Buffer | undefined, target: Target): Pick<DeadLetter, 'framing'> & { value: Buffer | null } {
    return { framing: 'none', value: bytes && this.#fits(bytes, target) ? bytes : null };
  }

  /** The limit is on the compressed batch: only a record that is larger than it has to be compressed to know. */
  #fits(bytes: Buffer, target: Target): boolean {
    return fitsCompressed(bytes, maxSendBytes(target), this.#compression);
  }
}
