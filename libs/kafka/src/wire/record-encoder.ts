import type { OutgoingRecord } from '../port.ts';

/**
 * The records of one batch in Kafka's message format 2 (https://kafka.apache.org/documentation/#record), written in
 * one pass into memory of their exact size. All timestamps are the batch's own (delta 0).
 */
export class EncodedRecords {
  readonly bytes: number;
  readonly #records: readonly OutgoingRecord[];
  readonly #bodyBytes: number[];

  constructor(records: readonly OutgoingRecord[]) {
    this.#records = records;
    this.#bodyBytes = records.map((record, index) => bodyBytes(record, index));
    this.bytes = this.#bodyBytes.reduce((sum, body) => sum + varintBytes(body) + body, 0);
  }

  /** Fills the first `bytes` bytes of `target`. */
  writeTo(target: Buffer): void {
    let at = 0;
    this.#records.forEach((record, index) => {
      at = writeVarint(target, at, this.#bodyBytes[index]!);
      target[at] = 0; // attributes: none
      target[at + 1] = 0; // timestamp delta
      at = writeVarint(target, at + 2, index);
      at = writeBytes(target, at, record.key);
      at = writeBytes(target, at, record.value);
      at = writeHeaders(target, at, record.headers ?? {});
    });
    if (at !== this.bytes) throw new Error(`${at} bytes were written where ${this.bytes} were counted: a bug.`);
  }
}

type Bytes = OutgoingRecord['value'] | string | undefined;

function bodyBytes({ key, value, headers }: OutgoingRecord, index: number): number {
  let bytes = 2 + varintBytes(index) + fieldBytes(key) + fieldBytes(value);
  let count = 0;
  for (const name in headers) {
    const header = headers[name];
    if (header === undefined) continue;
    count += 1;
    bytes += fieldBytes(name) + fieldBytes(header);
  }
  return bytes + varintBytes(count);
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

function writeHeaders(target: Buffer, from: number, headers: NonNullable<OutgoingRecord['headers']>): number {
  let count = 0;
  for (const name in headers) if (headers[name] !== undefined) count += 1;
  let at = writeVarint(target, from, count);
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
