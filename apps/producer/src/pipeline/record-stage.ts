import type { InvalidRecord } from '@genesys-kafka/conversation';
import { fitsCompressed, type KafkaCompression, type OutgoingRecord, type TopicPartition } from '@genesys-kafka/kafka';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import {
  formatDeadLetter,
  formatRecordHeaders,
  frameHeader,
  partitionFor,
  RECORD_HEADER,
  type DeadLetterStage,
} from '@genesys-kafka/topics';
import type { JudgedRecord } from '../validate/judge.ts';

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
 * From a judged record to a message: frame, key, partition, headers; or a dead letter with the
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

  process(judged: JudgedRecord, availableUntil?: string): StagedRecord {
    const { data } = this.#options;
    const { bytes, verdict } = judged;
    const headers: Record<string, string> = {
      ...this.#headers,
      [RECORD_HEADER.ordinal]: String(judged.ordinal),
      [RECORD_HEADER.contentDigest]: judged.digest.toString('hex'),
    };
    if (availableUntil !== undefined) headers[RECORD_HEADER.dataAvailabilityDate] = availableUntil;
    if (!bytes || verdict === undefined) return this.#oversize(judged, headers, 'record.maxBytes');
    if (typeof verdict !== 'string') return this.#invalid(judged, headers, verdict);
    if (!this.#fits(bytes, data)) return this.#oversize(judged, headers, 'max.message.bytes', verdict);
    if (isTooLongForKey(verdict)) return this.#oversize(judged, headers, 'a key');
    const record = { key: verdict, value: [this.#frame, bytes], headers };
    const partition = partitionFor(verdict, data.partitions);
    return { topic: data.topic, partition, record, isValid: true, bytes: judged.length };
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
