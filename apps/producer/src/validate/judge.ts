import { hash } from 'node:crypto';
import type { InvalidRecord, RecordValidator } from '@genesys-kafka/conversation';
import type { ScannedRecord } from '@genesys-kafka/record-parser';

/** The key of a valid record, or why a record is none. */
export type Verdict = string | InvalidRecord;

/** A record with what its bytes say of it. */
export interface JudgedRecord extends ScannedRecord {
  /** The content's SHA-256; of a record that was too long to be kept, of its place and length. */
  readonly digest: Buffer;
  /** Undefined for a record without its bytes, and for one that is only skipped. */
  readonly verdict: Verdict | undefined;
}

/** Validates and digests records, in their order. What it costs (parsing above all) is most of the pipeline's work. */
export interface Judge extends AsyncDisposable {
  /** Records before the ordinal `from` are digested alone: they are published already. */
  judge(records: readonly ScannedRecord[], from: number): Promise<JudgedRecord[]>;
}

export function judgeBytes(validator: RecordValidator, bytes: Uint8Array, members: number): Verdict {
  const verdict = validator.validate(bytes, members);
  return verdict.ok ? verdict.conversationId : verdict;
}

export function oversizeDigest({ offset, length }: ScannedRecord): Buffer {
  return hash('sha256', `oversize:${offset}:${length}`, 'buffer');
}
