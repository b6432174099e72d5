import { giveBack } from '@genesys-kafka/resilience/memory';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { ConsumedRecord, OutgoingRecord, RecordView, TopicPartition } from '../port.ts';
import type { AbortedTransaction } from './fetch-response.ts';
import { MovingView } from './record-view.ts';
import type { UnpackBudget } from './unpack-budget.ts';
import { VarintReader } from './varint-reader.ts';

/** What was fetched, for what is left out of it and for the records' own places. */
export interface BatchSource extends TopicPartition {
  /** The offset that was asked for. */
  readonly from: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** Shared by all that one fetch brought. */
  readonly budget: UnpackBudget;
  /** Is shown the records, which are then not made. */
  readonly visit?: ((record: RecordView) => void) | undefined;
  /** Is asked of each record whether it is to be made. */
  readonly wants?: ((record: RecordView) => boolean) | undefined;
}

export interface DecodedBatches {
  /** Committed records, in offset order. */
  readonly records: ConsumedRecord[];
  /** Of those that were committed, and not wanted. */
  readonly unwanted: number;
  /** One past the last offset that the batches cover, compacted and control records included; undefined without any. */
  readonly nextOffset: bigint | undefined;
  /** In which the records lie, and nothing else; what was not packed lies with the fetch's answer. */
  readonly memory: readonly Buffer[];
}

interface Header {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly attributes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly count: number;
  readonly body: Buffer;
}

const PREFIX_BYTES = 12; // base offset and length
const HEADER_BYTES = 61;
const MAGIC_AT = 16;
const MAGIC = 2;
const CODEC = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const ABORT_MARKER = 0;

const DATA = { enumerable: true, configurable: true, writable: true };

/**
 * Decodes the record batches (message format 2) of a read_committed fetch that started at `from`, without aborted
 * transactions and control records. Follows the Java client: a producer's records are aborted from the first offset
 * that the broker names until its abort marker. Ends before a batch for which the fetch's budget is used up.
 */
export async function decodeBatches(bytes: Buffer, source: BatchSource): Promise<DecodedBatches> {
  const pending = [...source.aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const abortedProducers = new Set<bigint>();
  const records: ConsumedRecord[] = [];
  const memory: Buffer[] = [];
  let unwanted = 0;
  let nextOffset: bigint | undefined;
  for (const batch of batchesIn(bytes, source)) {
    while (pending[0] !== undefined && pending[0].firstOffset <= batch.lastOffset) {
      abortedProducers.add(pending.shift()!.producerId);
    }
    if (batch.attributes & CONTROL) {
      if (isAbortMarker(batch)) abortedProducers.delete(batch.producerId);
    } else if (!(batch.attributes & TRANSACTIONAL) || !abortedProducers.has(batch.producerId)) {
      const where = ` at offset ${batch.baseOffset} of ${partitionName(source)}`;
      const unpacked = await source.budget.unpack(batch.attributes & CODEC, batch.body, where);
      if (unpacked === undefined) break;
      const before = records.length;
      if (source.visit) showRecords(batch, unpacked, source, source.visit);
      else unwanted += appendRecords(batch, unpacked, source, records);
      const isOwn = unpacked !== batch.body;
      if (isOwn && records.length > before) memory.push(unpacked);
      else if (isOwn && source.wants) giveBack(unpacked);
    }
    nextOffset = batch.lastOffset + 1n;
  }
  return { records, unwanted, nextOffset, memory };
}

function* batchesIn(bytes: Buffer, source: TopicPartition): Generator<Header> {
  for (let at = 0; at + PREFIX_BYTES <= bytes.length;) {
    const size = PREFIX_BYTES + bytes.readInt32BE(at + 8);
    // A fetch is cut at its size limit: what is cut off comes again with the next one.
    if (at + size > bytes.length) return;
    if (size < HEADER_BYTES || bytes[at + MAGIC_AT] !== MAGIC) throw corrupt(source, bytes.readBigInt64BE(at));
    const baseOffset = bytes.readBigInt64BE(at);
    yield {
      baseOffset,
      lastOffset: baseOffset + BigInt(bytes.readInt32BE(at + 23)),
      attributes: bytes.readInt16BE(at + 21),
      firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
      maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
      producerId: bytes.readBigInt64BE(at + 43),
      count: bytes.readInt32BE(at + 57),
      body: bytes.subarray(at + HEADER_BYTES, at + size),
    };
    at += size;
  }
}

/** A control record's key is version and type, two bytes each; 0 is abort, 1 is commit. */
function isAbortMarker(batch: Header): boolean {
  const reader = new VarintReader(batch.body);
  reader.varint();
  reader.skip(1);
  reader.varint();
  reader.varint();
  const key = reader.bytes();
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER;
}

/** Gives how many were not wanted. */
function appendRecords(batch: Header, bytes: Buffer, source: BatchSource, records: ConsumedRecord[]): number {
  const reader = new VarintReader(bytes);
  const view = source.wants && new MovingView(bytes, batch.baseOffset);
  let unwanted = 0;
  for (let index = 0; index < batch.count; index += 1) {
    const { at } = reader;
    if (view?.read(reader) === true && !source.wants!(view)) {
      if (view.offset >= source.from) unwanted += 1;
      continue;
    }
    reader.at = at;
    const { isWhole, timestampDelta, offsetDelta, key, value, headers } = readRecord(reader);
    if (!isWhole) throw corrupt(source, batch.baseOffset);
    const offset = batch.baseOffset + BigInt(offsetDelta);
    // A fetch starts with the whole batch that holds the offset asked for.
    if (offset < source.from) continue;
    const timestampMs = batch.attributes & LOG_APPEND_TIME ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta;
    records.push(new FetchedRecord(source, offset, timestampMs, key, value, headers));
  }
  return unwanted;
}

/** Its headers are made into an object when they are asked for: most records go by without, and have seven or more. */
class FetchedRecord implements ConsumedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #headers: Buffer;

  constructor(
    { topic, partition }: TopicPartition,
    offset: bigint,
    timestampMs: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: Buffer,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestampMs = timestampMs;
    this.key = key;
    this.value = value;
    this.#headers = headers;
  }

  get headers(): Record<string, Buffer> {
    return readHeaders(new VarintReader(this.#headers));
  }

  get headerBytes(): number {
    return this.#headers.length;
  }
}

function showRecords(batch: Header, bytes: Buffer, source: BatchSource, visit: (record: RecordView) => void): void {
  const reader = new VarintReader(bytes);
  const view = new MovingView(bytes, batch.baseOffset);
  for (let index = 0; index < batch.count; index += 1) {
    if (!view.read(reader)) throw corrupt(source, view.offset);
    if (view.offset >= source.from) visit(view);
  }
}

/** What `EncodedRecords` or a BatchBuilder wrote. Values and keys share its memory. */
export function decodeRecords(bytes: Buffer, count: number): OutgoingRecord[] {
  const reader = new VarintReader(bytes);
  return Array.from({ length: count }, () => {
    const { key, value, headers } = readRecord(reader);
    return { key, value, headers: readHeaders(new VarintReader(headers)) };
  });
}

/** `headers`: their bytes, which are known to be whole. */
function readRecord(reader: VarintReader) {
  const end = reader.varint() + reader.at;
  reader.skip(1);
  const timestampDelta = reader.varint();
  const offsetDelta = reader.varint();
  const key = reader.bytes();
  const value = reader.bytes();
  const headers = reader.since(() => skipHeaders(reader));
  return { isWhole: reader.at === end, timestampDelta, offsetDelta, key, value, headers };
}

function skipHeaders(reader: VarintReader): void {
  for (let left = 2 * reader.varint(); left > 0; left -= 1) {
    const length = reader.varint();
    if (length > 0) reader.skip(length);
  }
}

function readHeaders(reader: VarintReader): Record<string, Buffer> {
  const headers: Record<string, Buffer> = {};
  for (let left = reader.varint(); left > 0; left -= 1) {
    const name = reader.text();
    const value = reader.bytes();
    if (name === null || value === null) continue;
    // Of several headers with one name the last one counts, as with the Java client's lastHeader(). Whatever a header
    // is called, `__proto__` too, it is data.
    if (name === '__proto__') Object.defineProperty(headers, name, { value, ...DATA });
    else headers[name] = value;
  }
  return headers;
}

function corrupt(source: TopicPartition, offset: bigint): KafkaError {
  return new KafkaError(
    'record-batch-corrupt',
    `The batch at offset ${offset} of ${partitionName(source)} is not in Kafka's message format 2.`,
  );
}
