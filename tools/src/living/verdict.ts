/** A record as a reader found it on the topic. */
export interface FoundRecord {
  readonly partition: number;
  readonly offset: number;
  readonly conversationId: string;
  /** SHA-256 of the record's bytes, hexadecimal. */
  readonly digest: string;
  readonly source: string;
  readonly ordinal: number;
  /** UTC day of the window that it was read for. */
  readonly day: string;
  /** The availability date that it was read with; 0 where the contract tells none. */
  readonly availableMs: number;
  readonly submittedMs: number;
  /** It says that it was published because it is not as it was before. */
  readonly isChange: boolean;
}

/** A version that a conversation truly had: a line of the simulator's truth. */
export interface TrueVersion {
  readonly conversationId: string;
  readonly version: number;
  readonly digest: string;
  readonly since: string;
  readonly start: string;
  readonly end?: string;
  readonly vanished?: string;
}

/** Which conversations belong to a day: those that lived on it, or those that started on it. */
export type Matching = 'overlap' | 'start';

export interface Evidence {
  readonly records: Iterable<FoundRecord>;
  /** Every version until the end, those of a conversation in their order. */
  readonly truth: Iterable<TrueVersion>;
  readonly matching: Matching;
  /** What was read: whole days. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Verdict {
  readonly records: number;
  /** Of these, those that were published again because they had changed. */
  readonly changed: number;
  readonly conversations: number;
  readonly versions: number;
  /** Conversations that could not be read until long after they began, and so after their day had been read. */
  readonly late: number;
  /** Deleted at the source: they may be on the topic as they once were, or not at all. */
  readonly vanished: number;
  /** Faults by kind, each with what it is about. */
  readonly faults: Readonly<Record<FaultKind, readonly string[]>>;
}

/**
 * `doubled`: one place of one source is there twice. `untrue`: the bytes are not those that the conversation had at the
 * record's availability date; where it tells none, they are those of no version. `unchangedTwice`: one version is there twice for one day. `missing`: nothing of a
 * conversation for a day that it lived on. `stale`: its newest record for that day, or of all days, is not its last
 * version.
 */
export type FaultKind = 'doubled' | 'untrue' | 'unchangedTwice' | 'missing' | 'stale';

const DAY_MS = 86_400_000;

/** Holds what is on the topic against what the organisation was, and is at the end. */
export function judge({ records, truth, matching, fromMs, toMs }: Evidence): Verdict {
  const faults: Record<FaultKind, string[]> = { doubled: [], untrue: [], unchangedTwice: [], missing: [], stale: [] };
  const versions = Map.groupBy(truth, ({ conversationId }) => conversationId);
  const places = new Set<string>();
  const byDay = new Map<string, FoundRecord[]>();
  let [count, changed] = [0, 0];
  for (const record of records) {
    count += 1;
    if (record.isChange) changed += 1;
    const place = `${record.source} ${record.ordinal}`;
    if (places.has(place)) faults.doubled.push(`${place} of ${record.conversationId}`);
    places.add(place);
    if (!isTrue(record, versions.get(record.conversationId))) faults.untrue.push(told(record));
    const key = `${record.conversationId} ${record.day}`;
    const same = byDay.get(key) ?? [];
    if (same.some(({ digest }) => digest === record.digest)) faults.unchangedTwice.push(told(record));
    byDay.set(key, [...same, record]);
  }
  for (const [conversationId, all] of versions) {
    const last = all.at(-1)!;
    if (last.vanished !== undefined) continue;
    const own: FoundRecord[] = [];
    for (const day of daysOf(last, matching, fromMs, toMs)) {
      const found = byDay.get(`${conversationId} ${day}`) ?? [];
      own.push(...found);
      const newest = newestOf(found);
      if (!newest) faults.missing.push(`${conversationId} on ${day}`);
      else if (newest.digest !== last.digest)
        faults.stale.push(`${told(newest)}, of which version ${last.version} is known`);
    }
    const newest = newestOf(own);
    if (newest && newest.digest !== last.digest) faults.stale.push(`${told(newest)}, the newest of all days`);
  }
  return {
    records: count,
    changed,
    conversations: versions.size,
    versions: [...versions.values()].reduce((sum, all) => sum + all.length, 0),
    late: [...versions.values()].filter(([first]) => first!.since !== first!.start).length,
    vanished: [...versions.values()].filter((all) => all.at(-1)!.vanished !== undefined).length,
    faults,
  };
}

function isTrue(record: FoundRecord, versions: readonly TrueVersion[] = []): boolean {
  if (record.availableMs === 0) return versions.some(({ digest }) => digest === record.digest);
  const known = versions.findLast(({ since }) => Date.parse(since) < record.availableMs);
  const vanishedMs = known?.vanished === undefined ? Infinity : Date.parse(known.vanished);
  return known?.digest === record.digest && record.availableMs <= vanishedMs;
}

/** Of two versions the one with the later (availability date, submission) is the newer one. */
function newestOf(records: readonly FoundRecord[]): FoundRecord | undefined {
  return records.reduce<FoundRecord | undefined>((best, record) => {
    if (!best || record.availableMs > best.availableMs) return record;
    return record.availableMs === best.availableMs && record.submittedMs > best.submittedMs ? record : best;
  }, undefined);
}

/** The days within the interval that the conversation belongs to; an open one lives on to its end. */
function daysOf({ start, end }: TrueVersion, matching: Matching, fromMs: number, toMs: number): string[] {
  if (matching === 'start') return [start.slice(0, 10)];
  const firstMs = Math.max(Math.floor(Date.parse(start) / DAY_MS) * DAY_MS, fromMs);
  const lastMs = Math.min(end === undefined ? toMs : Date.parse(end), toMs);
  const days: string[] = [];
  for (let ms = firstMs; ms < lastMs; ms += DAY_MS) days.push(new Date(ms).toISOString().slice(0, 10));
  return days;
}

function told({ conversationId, day, partition, offset, availableMs }: FoundRecord): string {
  return `${conversationId} on ${day} as of ${new Date(availableMs).toISOString()} (partition ${partition}, offset ${offset})`;
}
