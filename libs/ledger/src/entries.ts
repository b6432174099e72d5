import { chainStart } from '@genesys-kafka/conversation/digest';
import type { ConsumedRecord } from '@genesys-kafka/kafka';
import { LedgerError } from './errors.ts';
import { NO_RECORDS, type RecordCounts } from './record-counts.ts';
import { TOPICS_PREFIX } from './topics-entry.ts';

/** How results come to us: Genesys' paged jobs, its signed archives, or an archive handed over as a file or link. */
export type Contract = 'details-jobs' | 'bulk-archive' | 'archive';

/**
 * `submitted`: the job's id is kept, nothing is published yet. `publishing`: records up to the position are on the topic.
 * `rejected`: ended with none published. `partial`: ended with the records before the position published.
 */
export type WindowState = 'submitted' | 'publishing' | 'done' | 'rejected' | 'partial';

/** Until when data is complete, by the pages of a job. */
export interface Availability {
  /** The earliest moment that a page names; ISO 8601. */
  readonly until?: string;
  /** A page says it in words that cannot be read. */
  readonly isUnreadable?: true;
}

/** How far a source has been published. Valid for its own source alone. */
export interface Position {
  /** Records passed, valid and invalid: the next ordinal. */
  readonly records: number;
  /** Hex of the SHA-256 chain over the digests of the records passed: what is skipped on resume must reproduce it. */
  readonly chain: string;
  /** Page contract: the cursor of the page to fetch next; absent for the first page. */
  readonly cursor?: string;
  /** Page contract: a page that is published in part, by the SHA-256 of its bytes. */
  readonly page?: { readonly sha256: string; readonly done: number };
  /** Page contract: what the pages so far say of it, so that a restart does not forget an earlier page's word. */
  readonly availability?: Availability;
}

export interface SourceIdentity {
  /** A job's id or an archive's identity: with the ordinal, a record's identity. */
  readonly id: string;
  readonly jobId?: string;
  /** ISO 8601. */
  readonly submittedAt?: string;
}

export interface WindowError {
  readonly code: string;
  readonly message: string;
  readonly ordinal?: number;
  readonly offset?: number;
}

/** One window's line in the ledger: what it is, where it stands, and what came of it. */
export interface LedgerEntry {
  readonly v: 1;
  readonly kind: 'window';
  readonly exportId: string;
  readonly generation: number;
  readonly connector: string;
  readonly contract: Contract;
  /** The window's id: its interval, or the archive's identity. */
  readonly window: string;
  readonly state: WindowState;
  readonly source?: SourceIdentity;
  readonly position: Position;
  readonly counts: RecordCounts;
  /** Bytes of the records passed, as Genesys sent them. */
  readonly bytes: number;
  /** Only what had changed was published of it, and digests were written. */
  readonly changedOnly?: true;
  readonly error?: WindowError;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** Who owns a lane: the last claim in its partition. */
export interface Claim {
  readonly v: 1;
  readonly kind: 'claim';
  readonly nonce: string;
  readonly host: string;
  readonly pid: number;
  readonly at: string;
}

const CLAIM_PREFIX = 'claim/';

/** A lane's claim has one key, so that compaction keeps the last one. */
export function claimKey(transactionalId: string): string {
  return CLAIM_PREFIX + transactionalId;
}

/** Of the lines of a ledger, those that are no window's. */
export function isNoWindow({ key }: Pick<ConsumedRecord, 'key'>): boolean {
  const text = key?.toString() ?? '';
  return text.startsWith(CLAIM_PREFIX) || text.startsWith(TOPICS_PREFIX);
}

/** An export's entries share a prefix; generations (`--again`) lie side by side. */
export function windowKey(exportId: string, generation: number, window: string): string {
  return `${exportId}/${generation}/${window}`;
}

export function encodeLedgerValue(value: LedgerEntry | Claim): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The entry of a window of which nothing has been read. */
export function newWindowEntry(
  facts: Pick<LedgerEntry, 'exportId' | 'generation' | 'connector' | 'contract' | 'window' | 'source' | 'changedOnly'>,
): LedgerEntry {
  return {
    v: 1,
    kind: 'window',
    ...facts,
    state: 'submitted',
    position: { records: 0, chain: chainStart().toString('hex') },
    counts: NO_RECORDS,
    bytes: 0,
    updatedAt: new Date().toISOString(),
  };
}

/**
 * Takes one more committed record of a ledger partition in: of a window's entries the last one counts, and a tombstone
 * ends them. Claims are read, so that those of an unknown version raise `ledger-unreadable`, and left out.
 */
export function applyRecord(entries: Map<string, LedgerEntry>, record: Pick<ConsumedRecord, 'key' | 'value'>): void {
  const key = record.key?.toString();
  if (key === undefined) return;
  const value = record.value === null ? undefined : decodeLedgerValue(key, record.value);
  if (value === undefined) entries.delete(key);
  else if (value.kind === 'window') entries.set(key, value);
}

/** Raises `ledger-unreadable` for a version or a kind that this program does not know: guessing could double records. */
export function decodeLedgerValue(key: string, value: Buffer): LedgerEntry | Claim {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    throw unreadable(key, 'it is not JSON');
  }
  const { v, kind } = (parsed ?? {}) as Partial<LedgerEntry | Claim>;
  if (v !== 1) throw unreadable(key, `its version is ${JSON.stringify(v)}, this program knows 1`);
  if (kind !== 'window' && kind !== 'claim') throw unreadable(key, 'its kind is unknown');
  return parsed as LedgerEntry | Claim;
}

function unreadable(key: string, reason: string): LedgerError {
  return new LedgerError('ledger-unreadable', `The ledger entry ${JSON.stringify(key)} cannot be read: ${reason}.`);
}
