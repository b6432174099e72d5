import { FramingError } from './errors.ts';

const HEADER_BYTES = 5;
const MAGIC = 0;

/**
 * Confluent's wire format: magic byte 0, the schema id as a big-endian 32-bit integer, then the value's own bytes
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
 * Copies `bytes` once; it may be reused afterwards.
 */
export function frame(schemaId: number, bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + bytes.length);
  framed[0] = MAGIC;
  framed.writeUInt32BE(schemaId, 1);
  framed.set(bytes, HEADER_BYTES);
  return framed;
}

/** The parts of a framed value; `body` is a view of `value`, not a copy. Throws `FramingError`. */
export function unframe(value: Buffer | null): { readonly schemaId: number; readonly body: Buffer } {
  if (value === null) {
    throw new FramingError('frame-missing', 'The record has no value (a tombstone): there is no schema id to read.');
  }
  if (value.length < HEADER_BYTES) {
    throw new FramingError(
      'frame-too-short',
      `The value has ${value.length} bytes; Confluent's wire format starts with 5 (magic byte and schema id). ` +
        'Was it written by a producer without a schema registry?',
    );
  }
  if (value[0] !== MAGIC) {
    throw new FramingError(
      'frame-wrong-magic',
      `The value starts with byte ${value[0] ?? -1}, Confluent's wire format with 0. ` +
        'Was it written by a producer without a schema registry?',
    );
  }
  return { schemaId: value.readUInt32BE(1), body: value.subarray(HEADER_BYTES) };
}
