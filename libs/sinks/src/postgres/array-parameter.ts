/** Types whose binary form in an array is known here, by their numbers in Postgres' catalogue. */
const OIDS = { bytea: 17, int8: 20, text: 25, json: 114, jsonb: 3802 } as const;

/** Comes before the text of a jsonb value: the version of its binary form. */
const JSONB_VERSION = 1;

const HEADER_BYTES = 20;

/**
 * An array as one parameter in Postgres' binary format. Nothing is quoted and nothing parsed: the bytes of a record are
 * copied once, where an array written as text would double each quotation mark of the JSON.
 */
export function bytesArray(type: Exclude<keyof typeof OIDS, 'int8'>, values: readonly Buffer[]): Buffer {
  const extra = type === 'jsonb' ? 1 : 0;
  const bytes = values.reduce((sum, value) => sum + 4 + extra + value.length, HEADER_BYTES);
  const array = begin(type, values.length, bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(value.length + extra, at);
    if (extra === 1) at = array.writeUInt8(JSONB_VERSION, at);
    value.copy(array, at);
    at += value.length;
  }
  return array;
}

export function int8Array(values: readonly bigint[]): Buffer {
  const array = begin('int8', values.length, HEADER_BYTES + values.length * 12);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(8, at);
    at = array.writeBigInt64BE(value, at);
  }
  return array;
}

/** Dimensions, whether there are nulls, the elements' type, their count, and the first one's number. */
function begin(type: keyof typeof OIDS, count: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(bytes);
  [1, 0, OIDS[type], count, 1].forEach((word, index) => array.writeInt32BE(word, index * 4));
  return array;
}
