import { hash } from 'node:crypto';
import { contentDigest, tooCostly, type InvalidRecord, type RecordValidator } from '@genesys-kafka/conversation';
import type { OutgoingRecord, TopicPartition } from '@genesys-kafka/kafka';
import { BatchBuilder, EncodedHeaders } from '@genesys-kafka/kafka/wire';
import {
  formatDeadLetter,
  formatRecordHeaders,
  partitionFor,
  RECORD_HEADER,
  type DeadLetter,
} from '@genesys-kafka/topics';
import { RecordFacts, type StagedBatch, type StagedStep } from './staged-step.ts';
import { PLACE_NUMBERS, type SourceFacts, type ThreadRequest } from './thread-messages.ts';
import { fitsAsKey, maxSendBytes, ValueEncoder, type EncodeOptions, type Target } from './value-encoder.ts';

/** What becomes of a segment. */
export type Staged = Pick<StagedStep, 'facts' | 'batches'>;

/** A record's place in its source. */
interface Place {
  readonly ordinal: number;
  readonly offset: number;
  readonly length: number;
}

type Reason = Pick<DeadLetter, 'stage' | 'cause' | 'reason'>;

/** Causes that are no fault of the JSON. */
const VALIDATE_CAUSES: ReadonlySet<string> = new Set(['schema-violation', 'record-too-costly']);

/**
 * From the bytes of records to batches: each is digested, validated, and becomes a message with key, partition, headers
 * and value, or a dead letter with the reasons for the same transaction.
 */
export function stageSegment(validator: RecordValidator, { segment, facts, options, costly }: ThreadRequest): Staged {
  const { buffer, places, firstOrdinal, isStaged } = segment;
  const count = places.length / PLACE_NUMBERS;
  const known = RecordFacts.of(count);
  const stage = new SegmentStage(validator, facts, options);
  for (let index = 0; index < count; index += 1) {
    const at = index * PLACE_NUMBERS;
    const [start, length, offset] = [places[at]!, places[at + 1]!, places[at + 2]!];
    const bytes = start < 0 ? undefined : Buffer.from(buffer, start, length);
    // One that was too long to be kept has the digest of its place and length alone.
    const digest = bytes ? contentDigest(bytes) : hash('sha256', `oversize:${offset}:${length}`, 'buffer');
    const place = { ordinal: firstOrdinal + index, offset, length };
    const isValid = isStaged && stage.add(place, bytes, places[at + 3]!, digest, costly);
    known.set(index, digest, length, isValid);
  }
  return { facts: known, batches: stage.end() };
}

class SegmentStage {
  readonly #validator: RecordValidator;
  readonly #encoder: ValueEncoder;
  readonly #options: EncodeOptions;
  readonly #sourceId: string;
  readonly #availableUntil: string | undefined;
  readonly #change: SourceFacts['change'];
  readonly #common: EncodedHeaders;
  /** Not full yet, by partition. */
  readonly #open = new Map<Target, BatchBuilder[]>();
  readonly #builders: (TopicPartition & { readonly builder: BatchBuilder })[] = [];

  constructor(
    validator: RecordValidator,
    { window, source, availableUntil, change }: SourceFacts,
    options: EncodeOptions,
  ) {
    this.#validator = validator;
    this.#encoder = new ValueEncoder(options.schemaId, options.compression);
    this.#options = options;
    this.#sourceId = source?.id ?? '';
    this.#availableUntil = availableUntil;
    this.#change = change;
    const headers = formatRecordHeaders({
      sourceId: this.#sourceId,
      window,
      ...(source?.jobId === undefined ? {} : { jobId: source.jobId }),
      ...(source?.submittedAt === undefined ? {} : { jobSubmittedAt: source.submittedAt }),
    });
    this.#common = new EncodedHeaders(headers);
  }

  /** False where it became a dead letter. */
  add(place: Place, bytes: Buffer | undefined, members: number, digest: Buffer, costly: string | undefined): boolean {
    const { data } = this.#options;
    const headers: Record<string, string> = {
      [RECORD_HEADER.ordinal]: String(place.ordinal),
      [RECORD_HEADER.contentDigest]: digest.toString('hex'),
    };
    if (this.#availableUntil !== undefined) headers[RECORD_HEADER.dataAvailabilityDate] = this.#availableUntil;
    if (!bytes) return this.#oversize(place, bytes, headers, 'record.maxBytes');
    const outcome = costly === undefined ? validate(this.#validator, bytes, members) : tooCostly(costly);
    if (!outcome.ok) {
      const stage = VALIDATE_CAUSES.has(outcome.code) ? 'validate' : 'parse';
      const why: Reason = { stage, cause: outcome.code, reason: outcome.reasons.join('; ') };
      return this.#deadLetter(place, bytes, headers, why, outcome.conversationId);
    }
    const id = outcome.conversationId;
    const value = this.#encoder.encode(bytes, data);
    if (!value) return this.#oversize(place, bytes, headers, 'max.message.bytes', id);
    if (!fitsAsKey(id)) return this.#oversize(place, bytes, headers, 'a key', id);
    if (this.#change !== undefined) headers[RECORD_HEADER.change] = this.#change;
    this.#write(data, id, value, headers);
    return true;
  }

  /** Those of one partition in their order. */
  end(): readonly StagedBatch[] {
    const { compression } = this.#options;
    return this.#builders.map(({ topic, partition, builder }) => {
      const isScratch = compression !== 'none' && builder.bytes <= SCRATCH_BYTES;
      // Uncompressed the batch is the memory that it was encoded into.
      const memory = isScratch ? (scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES)) : undefined;
      return { topic, partition, batch: builder.build(compression, memory?.subarray(0, builder.bytes)) };
    });
  }

  #oversize(
    place: Place,
    bytes: Buffer | undefined,
    headers: Record<string, string>,
    limit: string,
    id?: string,
  ): false {
    const reason = `The record has ${place.length} bytes, more than ${limit} allows.`;
    return this.#deadLetter(place, bytes, headers, { stage: 'oversize', cause: 'record-too-large', reason }, id);
  }

  #deadLetter(
    { ordinal, offset, length }: Place,
    bytes: Buffer | undefined,
    headers: Record<string, string>,
    why: Reason,
    id: string | undefined,
  ): false {
    const { deadLetters } = this.#options;
    const key = id !== undefined && fitsAsKey(id) ? id : `${this.#sourceId}:${ordinal}`;
    const { value, framing } = this.#encoder.encodeDeadLetter(bytes, deadLetters);
    const envelope = formatDeadLetter({
      ...why,
      framing,
      timestampMs: Date.now(),
      origin: { source: this.#sourceId, ordinal, byteRange: { start: offset, end: offset + length } },
      attempts: 0,
    });
    this.#write(deadLetters, key, value, { ...headers, ...envelope });
    return false;
  }

  #write(target: Target, text: string, value: OutgoingRecord['value'], headers: Record<string, string>): void {
    const key = Buffer.from(text);
    const partition = partitionFor(key, target.partitions);
    const record = { key, value, headers };
    const open = this.#open.get(target) ?? [];
    this.#open.set(target, open);
    if (open[partition]?.add(record)) return;
    const builder = new BatchBuilder(Math.min(this.#options.batchBytes, maxSendBytes(target)), this.#common);
    open[partition] = builder;
    this.#builders.push({ topic: target.topic, partition, builder });
    builder.add(record);
  }
}

/** What batches are encoded into before they are compressed; a larger one is a single record. */
const SCRATCH_BYTES = 1024 * 1024;
let scratch: Buffer | undefined;

type Outcome = { readonly ok: true; readonly conversationId: string } | InvalidRecord;

function validate(validator: RecordValidator, bytes: Uint8Array, members: number): Outcome {
  try {
    return validator.validate(bytes, members);
  } catch (error) {
    // A stack, a string or a set that would grow past what the engine allows: the record's doing. All else is a bug.
    if (error instanceof RangeError) return tooCostly('needs more than the engine allows');
    throw error;
  }
}
