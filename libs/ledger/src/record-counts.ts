/** What became of the records of a window or of many. */
export interface RecordCounts {
  readonly read: number;
  readonly published: number;
  readonly invalid: number;
  /** Equal to what was published last. */
  readonly unchanged: number;
  /** Older than what was published last. Left out where there are none, as in entries of earlier versions. */
  readonly stale?: number;
}

export const NO_RECORDS: RecordCounts = { read: 0, published: 0, invalid: 0, unchanged: 0 };

/** What entries come to together: their records, and the bytes of those as Genesys sent them. */
export function sumCounts(entries: Iterable<{ readonly counts: RecordCounts; readonly bytes: number }>): {
  readonly records: RecordCounts;
  readonly bytes: number;
} {
  let records = NO_RECORDS;
  let bytes = 0;
  for (const entry of entries) {
    records = addCounts(records, entry.counts);
    bytes += entry.bytes;
  }
  return { records, bytes };
}

export function addCounts(one: RecordCounts, other: RecordCounts): RecordCounts {
  const stale = (one.stale ?? 0) + (other.stale ?? 0);
  return {
    read: one.read + other.read,
    published: one.published + other.published,
    invalid: one.invalid + other.invalid,
    unchanged: one.unchanged + other.unchanged,
    ...(stale > 0 ? { stale } : {}),
  };
}
