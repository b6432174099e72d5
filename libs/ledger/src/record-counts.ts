/** What became of the records of a window or of many. */
export interface RecordCounts {
  readonly read: number;
  readonly published: number;
  readonly invalid: number;
  readonly unchanged: number;
}

export const NO_RECORDS: RecordCounts = { read: 0, published: 0, invalid: 0, unchanged: 0 };

/** What entries come to together: their records, and the bytes of those as Genesys sent them. */
export function sumCounts(entries: Iterable<{ readonly counts: RecordCounts; readonly bytes: number }>): {
  readonly records: RecordCounts;
  readonly bytes: number;
} {
  const records = { ...NO_RECORDS };
  let bytes = 0;
  for (const entry of entries) {
    records.read += entry.counts.read;
    records.published += entry.counts.published;
    records.invalid += entry.counts.invalid;
    records.unchanged += entry.counts.unchanged;
    bytes += entry.bytes;
  }
  return { records, bytes };
}
