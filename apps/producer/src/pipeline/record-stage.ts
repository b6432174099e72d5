import type { OutgoingRecord, TopicPartition } from '@genesys-kafka/kafka';
import type { LedgerEntry } from '@genesys-kafka/ledger';
import {
  formatDeadLetter,
  formatRecordHeaders,
  partitionFor,
  RECORD_HEADER,
  type DeadLetter,
} from '@genesys-kafka/topics';
import type { ValidatedRecord } from '../validate/batch-validator.ts';
import { fitsAsKey, type Target, type ValueEncoder } from './value-encoder.ts';

/** A record with its place on a topic, ready to be sent. */
export interface StagedRecord extends TopicPartition {
  readonly record: OutgoingRecord;
  /** False for a dead letter. */
  readonly isValid: boolean;
  /** Bytes as Genesys sent them. */
  readonly bytes: number;
}

/** Where records go, and how they are written there: the same for all sources. */
export interface StageOptions {
  readonly encoder: ValueEncoder;
  readonly data: Target;
  readonly deadLetters: Target;
}

type Headers = Readonly<Record<string, string>>;
type Reason = Pick<DeadLetter, 'stage' | 'cause' | 'reason'>;

/** Causes that are no fault of the JSON. */
const VALIDATE_CAUSES: ReadonlySet<string> = new Set(['schema-violation', 'record-too-costly']);

/**
 * From a validated record of one source to a message: key, partition, headers, value; or a dead letter with the
 * reasons, for the same transaction.
 */
export class RecordStage {
  readonly #options: StageOptions;
  readonly #sourceId: string;
  readonly #headers: Headers;

  constructor(options: StageOptions, { window, source }: Pick<LedgerEntry, 'window' | 'source'>) {
    this.#options = options;
    this.#sourceId = source?.id ?? '';
    this.#headers = formatRecordHeaders({
      sourceId: this.#sourceId,
      window,
      ...(source?.jobId === undefined ? {} : { jobId: source.jobId }),
      ...(source?.submittedAt === undefined ? {} : { jobSubmittedAt: source.submittedAt }),
    });
  }

  process(record: ValidatedRecord, availableUntil?: string): StagedRecord {
    const { encoder, data } = this.#options;
    const { bytes, outcome } = record;
    const headers = this.#headersOf(record, availableUntil);
    if (!bytes || !outcome) return this.#oversize(record, headers, 'record.maxBytes');
    if (!outcome.ok) {
      const stage = VALIDATE_CAUSES.has(outcome.code) ? 'validate' : 'parse';
      const why: Reason = { stage, cause: outcome.code, reason: outcome.reasons.join('; ') };
      return this.#deadLetter(record, headers, why, outcome.conversationId);
    }
    const { key } = outcome;
    const value = encoder.encode(bytes, data);
    if (!value) return this.#oversize(record, headers, 'max.message.bytes', key);
    if (!fitsAsKey(key)) return this.#oversize(record, headers, 'a key', key);
    return { ...message(data, { key, headers, value }), isValid: true, bytes: record.length };
  }

  #headersOf({ ordinal, digest }: ValidatedRecord, availableUntil: string | undefined): Headers {
    const headers: Record<string, string> = {
      ...this.#headers,
      [RECORD_HEADER.ordinal]: String(ordinal),
      [RECORD_HEADER.contentDigest]: digest.toString('hex'),
    };
    if (availableUntil !== undefined) headers[RECORD_HEADER.dataAvailabilityDate] = availableUntil;
    return headers;
  }

  #oversize(record: ValidatedRecord, headers: Headers, limit: string, id?: string): StagedRecord {
    const reason = `The record has ${record.length} bytes, more than ${limit} allows.`;
    return this.#deadLetter(record, headers, { stage: 'oversize', cause: 'record-too-large', reason }, id);
  }

  #deadLetter(record: ValidatedRecord, headers: Headers, why: Reason, id: string | undefined): StagedRecord {
    const { encoder, deadLetters } = this.#options;
    const { ordinal, offset, length, bytes } = record;
    const key = id !== undefined && fitsAsKey(id) ? id : `${this.#sourceId}:${ordinal}`;
    const { value, framing } = encoder.encodeDeadLetter(bytes, deadLetters);
    const envelope = formatDeadLetter({
      ...why,
      framing,
      timestampMs: Date.now(),
      origin: { source: this.#sourceId, ordinal, byteRange: { start: offset, end: offset + length } },
      attempts: 0,
    });
    const letter = message(deadLetters, { key, headers: { ...headers, ...envelope }, value });
    return { ...letter, isValid: false, bytes: length };
  }
}

function message({ topic, partitions }: Target, record: OutgoingRecord & { readonly key: string }) {
  return { topic, partition: partitionFor(record.key, partitions), record };
}
