import { randomBytes } from 'node:crypto';
import type { Message } from 'kafkajs';
import type { EncodedBatch, OutgoingRecord } from '../port.ts';
import { EncodedRecords } from '../wire/record-encoder.ts';

/** Records encoded by us, and the empty messages that stand for them in kafkajs's hands. */
export interface PreparedRecords {
  readonly messages: Message[];
  /** After the send has settled: the memory may be used again. */
  readonly release: () => void;
}

const MARKER = randomBytes(8);
const STAND_IN_BYTES = MARKER.length + 4;
/** Where kafkajs puts the first message's value: after length, attributes, two deltas, key length and value length. */
const VALUE_AT = 6;

const POOLED_BYTES = 1024 * 1024;
const MAX_FREE_BUFFERS = 7;
const freeBuffers: Buffer[] = [];
const prepared = new Map<number, Prepared>();
let lastId = 0;

/** What a stand-in stands for. */
interface Prepared {
  readonly bytes: Buffer;
  /** Compressed before, with the codec that kafkajs is told. */
  readonly isPacked: boolean;
}

/**
 * kafkajs encodes each record into memory of its own, doubled and zeroed as it grows, and then once more into the
 * batch: five times the bytes, and most of the garbage collector's work. Here the records are written once, into a
 * pooled buffer, and kafkajs is given as many empty messages. Its compression codecs are ours: they find the
 * stand-in's marker, which no record can hold by chance, and compress that buffer in its place (see codecs.ts).
 * Only for batches that are compressed: without a codec nobody would swap them.
 */
export function prepareRecords(records: readonly OutgoingRecord[], partition: number): PreparedRecords {
  const encoded = new EncodedRecords(records);
  const buffer = takeBuffer(encoded.bytes);
  const bytes = buffer.subarray(0, encoded.bytes);
  encoded.writeTo(bytes);
  const { messages, release } = standIns({ bytes, isPacked: false }, records.length, partition);
  return {
    messages,
    release() {
      release();
      if (buffer.length === POOLED_BYTES && freeBuffers.length < MAX_FREE_BUFFERS) freeBuffers.push(buffer);
    },
  };
}

/** The same for records that are compressed already. */
export function prepareBatch({ bytes, count }: EncodedBatch, partition: number): PreparedRecords {
  return standIns({ bytes, isPacked: true }, count, partition);
}

function standIns(records: Prepared, count: number, partition: number): PreparedRecords {
  lastId = (lastId + 1) % 0xffffffff;
  const id = lastId;
  prepared.set(id, records);
  const standIn = Buffer.alloc(STAND_IN_BYTES);
  MARKER.copy(standIn);
  standIn.writeUInt32BE(id, MARKER.length);
  const messages = Array.from({ length: count }, (_, index): Message => {
    return { partition, key: null, value: index === 0 ? standIn : null };
  });
  return { messages, release: () => void prepared.delete(id) };
}

/** What these records of kafkajs's stand for; the records themselves where they stand for nothing. */
export function realRecords(encoded: Buffer): Prepared {
  const end = VALUE_AT + STAND_IN_BYTES;
  const isStandIn = encoded.length >= end && encoded.subarray(VALUE_AT, VALUE_AT + MARKER.length).equals(MARKER);
  if (!isStandIn) return { bytes: encoded, isPacked: false };
  const records = prepared.get(encoded.readUInt32BE(VALUE_AT + MARKER.length));
  if (!records) throw new Error('A batch was encoded after its memory had been given back: a bug.');
  return records;
}

function takeBuffer(bytes: number): Buffer {
  return (
    (bytes <= POOLED_BYTES ? freeBuffers.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(bytes, POOLED_BYTES))
  );
}
