import type { OutgoingRecord } from './port.ts';

/**
 * What a record weighs, outgoing or consumed: the bytes of its key, value and headers, with a little for the framing
 * around them. For bounds on sends and on memory; text counts by its characters.
 */
export function recordBytes(record: OutgoingRecord & { readonly headerBytes?: number }): number {
  const { key, value, headerBytes } = record;
  let bytes = 16 + (key?.length ?? 0) + valueBytes(value) + (headerBytes ?? 0);
  if (headerBytes !== undefined) return bytes;
  const { headers } = record;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) + 4;
  return bytes;
}

function valueBytes(value: OutgoingRecord['value']): number {
  if (value === null || Buffer.isBuffer(value)) return value?.length ?? 0;
  return value.reduce((sum, piece) => sum + piece.length, 0);
}
