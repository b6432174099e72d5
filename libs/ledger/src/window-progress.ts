import { chainStart } from '@genesys-kafka/conversation/digest';
import { NO_RECORDS, type RecordCounts } from './record-counts.ts';

/** How results come to us: Genesys' paged jobs, its signed archives, or an archive handed over as a file or link. */
export type Contract = 'details-jobs' | 'bulk-archive' | 'archive';

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

/** How far a window is read from a source, whoever asked for it. */
export interface WindowProgress {
  readonly connector: string;
  readonly contract: Contract;
  /** The window's id: its interval, or the archive's identity. */
  readonly window: string;
  readonly source?: SourceIdentity;
  readonly position: Position;
  readonly counts: RecordCounts;
  /** Bytes of the records passed, as Genesys sent them. */
  readonly bytes: number;
  readonly error?: WindowError;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** Of a window before the first record of its source. */
export function nothingRead(): Pick<WindowProgress, 'position' | 'counts' | 'bytes'> {
  return { position: { records: 0, chain: chainStart().toString('hex') }, counts: NO_RECORDS, bytes: 0 };
}
