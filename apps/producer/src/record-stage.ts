import { hash } from 'node:crypto';
import { contentDigest, type InvalidRecord, type RecordValidator } from '@genesys-kafka/conversation';
import {
  fitsCompressed,
  frameHeader,
  partitionFor,
  type KafkaCompression,
  type OutgoingRecord,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { formatDeadLetter, formatRecordHeaders, RECORD_HEADER, type DeadLetterStage } from '@genesys-kafka/routing';

/** A record with its place on a topic, ready to be sent. */
export interface StagedRecord extends TopicPartition {
  readonly record: OutgoingRecord;
  /** False for a dead letter. */
  readonly isValid: boolean;
  /** Bytes as Genesys sent them. */
  readonly bytes: number;
}

/** A topic as the stage needs it. */
export interface Target {
  readonly topic: string;
  readonly partitions: number;
  /** `max.message.bytes` of the topic. */
  readonly maxMessageBytes: number;
}

export interface StageOptions {
  readonly validator: RecordValidator;
  readonly schemaId: number;
  readonly compression: KafkaCompression;
  readonly data: Target;
  readonly deadLetters: Target;
}

export interface StageSource {
  readonly sourceId: string;
  readonly window: string;
  readonly jobId?: string | undefined;
  readonly submittedAt?: string | undefined;
}

export interface StageFactory {
  forSource(source: StageSource): RecordStage;
}

/** Room for headers, key and batch framing below `max.message.bytes`. */
const OVERHEAD_BYTES = 64 * 1024;

/** A key is part of what `max.message.bytes` measures; it has to fit into the overhead. */
const MAX_KEY_BYTES = 8 * 1024;

function isTooLongForKey(conversationId: string): boolean {
  return Buffer.byteLength(conversationId) > MAX_KEY_BYTES;
}

/** The most one send may hold, uncompressed, for a topic of this limit. */
export function maxSendBytes(target: Pick<Target, 'maxMessageBytes'>): number {
  return target.maxMessageBytes - OVERHEAD_BYTES;
}

/**
 * From scanned bytes to a message: digest, validation, frame, key, partition, headers; or a dead letter with the
 * reasons, in the same transaction. The value is the record's bytes as they came.
 */
export class RecordStage {
  readonly #options: StageOptions;
  readonly #source: StageSource;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #frame: Buffer;

  constructor(options: StageOptions, source: StageSource) {
    this.#options = options;
    this.#source = source;
    this.#frame = frameHeader(options.schemaId);
    this.#headers = formatRecordHeaders({
      sourceId: source.sourceId,
      window: source.window,
      ...(source.jobId === undefined ? {} : { jobId: source.jobId }),
      ...(source.submittedAt === undefined ? {} : { jobSubmittedAt: source.submittedAt }),
    });
  }

  /** The content's SHA-256; of a record that was too long to be kept, of its place and length. */
  digest({ bytes, offset, length }: ScannedRecord): Buffer {
    return bytes ? contentDigest(bytes) : hash('sha256', `oversize:${offset}:${length}`, 'buffer');
  }

  process(scanned: ScannedRecord, digest: Buffer, availableUntil?: string): StagedRecord {
    const { validator, data } = this.#options;
    const headers: Record<string, string> = {
      ...this.#headers,
      [RECORD_HEADER.ordinal]: String(scanned.ordinal),
      [RECORD_HEADER.contentDigest]: digest.toString('hex'),
    };
    if (availableUntil !== undefined) headers[RECORD_HEADER.dataAvailabilityDate] = availableUntil;
    if (!scanned.bytes) return this.#oversize(scanned, headers, 'record.maxBytes');
    const verdict = validator.validate(scanned.bytes, scanned.members);
    if (!verdict.ok) return this.#invalid(scanned, headers, verdict);
    if (!this.#fits(scanned.bytes, data))
      return this.#oversize(scanned, headers, 'max.message.bytes', verdict.conversationId);
    if (isTooLongForKey(verdict.conversationId)) return this.#oversize(scanned, headers, 'a key');
    const key = verdict.conversationId;
    const record = { key, value: [this.#frame, scanned.bytes], headers };
    const partition = partitionFor(key, data.partitions);
    return { topic: data.topic, partition, record, isValid: true, bytes: scanned.length };
  }

  #invalid(scanned: ScannedRecord, headers: Record<string, string>, verdict: InvalidRecord): StagedRecord {
    const stage = verdict.code === 'schema-violation' ? 'validate' : 'parse';
    const reason = verdict.reasons.join('; ');
    return this.#deadLetter(scanned, headers, { stage, cause: verdict.code, reason }, verdict.conversationId);
  }

  #oversize(scanned: ScannedRecord, headers: Record<string, string>, limit: string, key?: string): StagedRecord {
    const reason = `The record has ${scanned.length} bytes, more than ${limit} allows.`;
    return this.#deadLetter(scanned, headers, { stage: 'oversize', cause: 'record-too-large', reason }, key);
  }

  #deadLetter(
    scanned: ScannedRecord,
    headers: Record<string, string>,
    why: { readonly stage: DeadLetterStage; readonly cause: string; readonly reason: string },
    conversationId: string | undefined,
  ): StagedRecord {
    const { deadLetters } = this.#options;
    const { sourceId } = this.#source;
    const { ordinal, offset, length, bytes } = scanned;
    const envelope = formatDeadLetter({
      ...why,
      framing: 'none',
      timestampMs: Date.now(),
      origin: { source: sourceId, ordinal, byteRange: { start: offset, end: offset + length } },
      attempts: 0,
    });
    // A record that does not fit this topic either is pointed to by source, ordinal and byte range.
    const value = bytes && this.#fits(bytes, deadLetters) ? bytes : null;
    const isKey = conversationId !== undefined && !isTooLongForKey(conversationId);
    const key = isKey ? conversationId : `${sourceId}:${ordinal}`;
    return {
      topic: deadLetters.topic,
      partition: partitionFor(key, deadLetters.partitions),
      record: { key, value, headers: { ...headers, ...envelope } },
      isValid: false,
      bytes: length,
    };
  }

  /** The limit is on the compressed batch: only a record that is larger than it has to be compressed to know. */
  #fits(bytes: Buffer, target: Target): boolean {
    return fitsCompressed(bytes, maxSendBytes(target), this.#options.compression);
  }
}
