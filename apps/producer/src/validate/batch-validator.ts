import { hash } from 'node:crypto';
import { contentDigest, tooCostly, type InvalidRecord, type RecordValidator } from '@genesys-kafka/conversation';
import type { ScannedRecord } from '@genesys-kafka/record-parser';

/** What becomes of a record: published under its key, or a dead letter with the reasons. */
export type Outcome = { readonly ok: true; readonly key: string } | InvalidRecord;

/** What the bytes of one record say. */
export interface Validation {
  /** The content's SHA-256. */
  readonly digest: Buffer;
  /** Undefined for a record that was only to be digested. */
  readonly outcome: Outcome | undefined;
}

/** A record with what its bytes say of it; one that was too long to be kept has the digest of its place and length alone. */
export type ValidatedRecord = ScannedRecord & Validation;

/** Validates and digests records, in their order. What it costs (parsing above all) is most of the pipeline's work. */
export interface BatchValidator extends AsyncDisposable {
  /** Records before the ordinal `from` are digested alone: they are published already. */
  validate(records: readonly ScannedRecord[], from: number): Promise<ValidatedRecord[]>;
}

/** Without `members` the record is only digested. */
export function validateRecord(validator: RecordValidator, bytes: Uint8Array, members: number | undefined): Validation {
  const digest = contentDigest(bytes);
  if (members === undefined) return { digest, outcome: undefined };
  return { digest, outcome: outcomeOf(validator, bytes, members) };
}

function outcomeOf(validator: RecordValidator, bytes: Uint8Array, members: number): Outcome {
  try {
    const result = validator.validate(bytes, members);
    return result.ok ? { ok: true, key: result.conversationId } : result;
  } catch (error) {
    // A stack, a string or a set that would grow past what the engine allows: the record's doing. All else is a bug.
    if (error instanceof RangeError) return tooCostly('needs more than the engine allows');
    throw error;
  }
}

export function oversizeDigest({ offset, length }: ScannedRecord): Buffer {
  return hash('sha256', `oversize:${offset}:${length}`, 'buffer');
}
