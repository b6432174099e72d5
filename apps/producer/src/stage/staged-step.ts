import type { TopicPartition } from '@genesys-kafka/kafka';
import type { EncodedBatch } from '@genesys-kafka/kafka/wire';
import type { Segment, SourceFacts } from './thread-messages.ts';

/** A batch with its place. */
export type StagedBatch = TopicPartition & { readonly batch: EncodedBatch };

/** Records in a row, ready to be sent: what becomes of each is decided. */
export interface StagedStep {
  readonly firstOrdinal: number;
  readonly facts: RecordFacts;
  /** Those of one partition in the order of their records. None where the records are published already. */
  readonly batches: readonly StagedBatch[];
  /** Gives their memory back: to be called once nobody reads the facts and the batches any more, where it is there. */
  readonly release?: () => void;
}

const DIGEST_BYTES = 32;
/** A record that is too long to be kept may have more than 4 GiB. */
const LENGTH_BYTES = 6;
const FACT_BYTES = DIGEST_BYTES + LENGTH_BYTES + 1;

/** What is kept of each record in a row besides its message: 39 bytes each, as they lie in a stage file. */
export class RecordFacts {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static of(count: number): RecordFacts {
    return new RecordFacts(Buffer.alloc(count * FACT_BYTES));
  }

  get count(): number {
    return this.bytes.length / FACT_BYTES;
  }

  /** `length`: of the record as Genesys sent it. */
  set(index: number, digest: Buffer, length: number, isValid: boolean): void {
    const at = index * FACT_BYTES;
    digest.copy(this.bytes, at);
    this.bytes.writeUIntLE(length, at + DIGEST_BYTES, LENGTH_BYTES);
    this.bytes[at + DIGEST_BYTES + LENGTH_BYTES] = isValid ? 1 : 0;
  }

  /** SHA-256 of the record's content. */
  digest(index: number): Buffer {
    return this.bytes.subarray(index * FACT_BYTES, index * FACT_BYTES + DIGEST_BYTES);
  }

  length(index: number): number {
    return this.bytes.readUIntLE(index * FACT_BYTES + DIGEST_BYTES, LENGTH_BYTES);
  }

  /** False for a dead letter. */
  isValid(index: number): boolean {
    return this.bytes[index * FACT_BYTES + DIGEST_BYTES + LENGTH_BYTES] === 1;
  }

  slice(from: number, to = this.count): RecordFacts {
    return new RecordFacts(this.bytes.subarray(from * FACT_BYTES, to * FACT_BYTES));
  }

  sums(): { readonly read: number; readonly invalid: number; readonly bytes: number } {
    let [invalid, bytes] = [0, 0];
    for (let index = 0; index < this.count; index += 1) {
      if (!this.isValid(index)) invalid += 1;
      bytes += this.length(index);
    }
    return { read: this.count, invalid, bytes };
  }
}

/** Validates, digests, encodes and compresses segments. What it costs is most of this program's work. */
export interface Stager extends AsyncDisposable {
  /** How many calls should be under way besides the one that is waited for. */
  readonly ahead: number;
  stage(segment: Segment, facts: SourceFacts): Promise<StagedStep>;
}
