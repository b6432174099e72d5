import { TopicsError } from './errors.ts';

const HEADER_BYTES = 5;
const MAGIC = 0;

/**
 * What stands in front of a value in Confluent's wire format: magic byte 0 and the schema id as a big-endian 32-bit
 * integer (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
 * Made once for a schema, and sent with each record as the first piece of its value.
 */
export function frameHeader(schemaId: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES, MAGIC);
  header.writeUInt32BE(schemaId, 1);
  return header;
}

/** Header and bytes in one buffer: copies `bytes`, which may be reused afterwards. */
export function frame(schemaId: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(schemaId), bytes]);
}

/** The parts of a framed value; `body` is a view of `value`, not a copy. Throws a `TopicsError`: `frame-…`. */
export function unframe(value: Buffer | null): { readonly schemaId: number; readonly body: Buffer } {
  if (value === null) {
    throw new TopicsError('frame-missing', 'The record has no value (a tombstone): there is no schema id to read.');
  }
  if (value.length < HEADER_BYTES) {
    throw new TopicsError(
      'frame-too-short',
      `The value has ${value.length} bytes; Confluent's wire format starts with 5 (magic byte and schema id).`,
    );
  }
  if (value[0] !== MAGIC) {
    throw new TopicsError(
      'frame-wrong-magic',
      `The value starts with byte ${value[0] ?? -1}, Confluent's wire format with 0.`,
    );
  }
  return { schemaId: value.readUInt32BE(1), body: value.subarray(HEADER_BYTES) };
}
