import type { OutgoingHeaders, OutgoingRecord } from '../port.ts';

/**
 * The records of one batch in Kafka's message format 2 (https://kafka.apache.org/documentation/#record), written in
 * one pass into memory of their exact size. All timestamps are the batch's own (delta 0).
 */
export class EncodedRecords {
  /** Of all records. */
  bytes = 0;
  readonly #common: EncodedHeaders;
  readonly #records: OutgoingRecord[] = [];
  readonly #bodyBytes: number[] = [];

  /** `common`: what the headers of all records begin with. */
  constructor(records: readonly OutgoingRecord[] = [], common = NO_HEADERS) {
    this.#common = common;
    for (const record of records) this.add(record);
  }

  get count(): number {
    return this.#records.length;
  }

  /** False where the records would then have more than `maxBytes`; the first is always taken. */
  add(record: OutgoingRecord, maxBytes = Number.POSITIVE_INFINITY): boolean {
    const body = bodyBytes(record, this.count, this.#common);
    const end = this.bytes + varintBytes(body) + body;
    if (this.count > 0 && end > maxBytes) return false;
    this.#records.push(record);
    this.#bodyBytes.push(body);
    this.bytes = end;
    return true;
  }

  /** Fills the first `bytes` bytes of `target`. */
  writeTo(target: Buffer): void {
    let at = 0;
    this.#records.forEach((record, index) => {
      at = writeRecord(target, at, record, index, this.#bodyBytes[index]!, this.#common);
    });
    if (at !== this.bytes) throw new Error(`${at} bytes were written where ${this.bytes} were counted: a bug.`);
  }
}

/** Headers that many records begin theirs with, encoded once. */
export class EncodedHeaders {
  readonly count: number;
  readonly bytes: Buffer;

  constructor(headers: OutgoingHeaders) {
    this.count = countOf(headers);
    const bytes = Buffer.alloc(headerBytes(headers));
    writeHeaders(bytes, 0, headers);
    this.bytes = bytes;
  }
}

const NO_HEADERS = new EncodedHeaders({});

/** The record's length without the length's own. `index`: its place in the batch. */
function bodyBytes({ key, value, headers = {} }: OutgoingRecord, index: number, common: EncodedHeaders): number {
  const count = common.count + countOf(headers);
  const fixed = 2 + varintBytes(index) + varintBytes(count) + common.bytes.length;
  return fixed + fieldBytes(key) + fieldBytes(value) + headerBytes(headers);
}

/** Writes a record from `from` on, and says where it ends. `body`: its `bodyBytes`. */
function writeRecord(
  target: Buffer,
  from: number,
  { key, value, headers = {} }: OutgoingRecord,
  index: number,
  body: number,
  common: EncodedHeaders,
): number {
  let at = writeVarint(target, from, body);
  target[at] = 0; // attributes: none
  target[at + 1] = 0; // timestamp delta
  at = writeVarint(target, at + 2, index);
  at = writeBytes(target, at, key);
  at = writeBytes(target, at, value);
  at = writeVarint(target, at, common.count + countOf(headers));
  target.set(common.bytes, at);
  return writeHeaders(target, at + common.bytes.length, headers);
}

type Bytes = OutgoingRecord['value'] | string | undefined;

function countOf(headers: OutgoingHeaders): number {
  let count = 0;
  for (const name in headers) if (headers[name] !== undefined) count += 1;
  return count;
}

function headerBytes(headers: OutgoingHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const header = headers[name];
    if (header !== undefined) bytes += fieldBytes(name) + fieldBytes(header);
  }
  return bytes;
}

/** Length in front included. */
function fieldBytes(field: Bytes): number {
  const length = lengthOf(field);
  return varintBytes(length) + Math.max(0, length);
}

/** -1 stands for null. */
function lengthOf(field: Bytes): number {
  if (field === null || field === undefined) return -1;
  if (typeof field === 'string') return Buffer.byteLength(field);
  return Buffer.isBuffer(field) ? field.length : field.reduce((sum, part) => sum + part.length, 0);
}

function writeHeaders(target: Buffer, from: number, headers: OutgoingHeaders): number {
  let at = from;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) at = writeBytes(target, writeBytes(target, at, name), value);
  }
  return at;
}

function writeBytes(target: Buffer, from: number, field: Bytes): number {
  let at = writeVarint(target, from, lengthOf(field));
  if (field === null || field === undefined) return at;
  if (typeof field === 'string') return at + target.write(field, at, 'utf8');
  for (const part of Buffer.isBuffer(field) ? [field] : field) {
    target.set(part, at);
    at += part.length;
  }
  return at;
}

/** Zig-zag, seven bits a byte, lowest first; up to 2^30. */
function writeVarint(target: Buffer, from: number, value: number): number {
  let at = from;
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  while (left > 0x7f) {
    target[at] = (left & 0x7f) | 0x80;
    left >>>= 7;
    at += 1;
  }
  target[at] = left;
  return at + 1;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = ((value << 1) ^ (value >> 31)) >>> 0; left > 0x7f; left >>>= 7) bytes += 1;
  return bytes;
}
