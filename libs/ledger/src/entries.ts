import type { ConsumedRecord } from '@genesys-kafka/kafka';
import { LedgerError } from './errors.ts';
import { runWindowKey, type RunPlan, type RunWindow } from './run-window.ts';
import { TOPICS_PREFIX } from './topics/topics-entry.ts';
import { nothingRead, type SourceIdentity, type WindowProgress } from './window-progress.ts';

/**
 * `submitted`: the job's id is kept, nothing is published yet. `publishing`: records up to the position are on the topic.
 * `rejected`: ended with none published. `partial`: ended with the records before the position published.
 */
export type WindowState = 'submitted' | 'publishing' | 'done' | 'rejected' | 'partial';

/** One window's line of an export: what it is, where it stands, and what came of it. */
export interface LedgerEntry extends WindowProgress {
  readonly v: 1;
  readonly kind: 'window';
  readonly exportId: string;
  readonly generation: number;
  readonly state: WindowState;
  /** Only what had changed was published of it, and digests were written. */
  readonly changedOnly?: true;
}

/** A line of a window: of one that an export reads once, or of one that `run` follows. */
export type WindowLine = LedgerEntry | RunWindow;
export type LedgerLine = WindowLine | RunPlan;

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
function windowKey(exportId: string, generation: number, window: string): string {
  return `${exportId}/${generation}/${window}`;
}

/** Where a window's line lies. */
export function windowLineKey(line: WindowLine): string {
  return line.kind === 'window'
    ? windowKey(line.exportId, line.generation, line.window)
    : runWindowKey(line.connector, line.window);
}

export function encodeLedgerValue(value: LedgerLine | Claim): Buffer {
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
    ...nothingRead(),
    updatedAt: new Date().toISOString(),
  };
}

/** The line of a window that is read from this source, from its start. */
export function readFrom<E extends WindowLine>(line: E, source: SourceIdentity): E {
  return { ...withoutError(line), state: 'submitted', source, ...nothingRead(), updatedAt: new Date().toISOString() };
}

export function withoutError<E extends WindowLine>(line: E): E {
  const copy = { ...line };
  Reflect.deleteProperty(copy, 'error');
  return copy;
}

/**
 * Takes one more committed record of a ledger partition in: of a window's entries the last one counts, and a tombstone
 * ends them. Claims are read, so that those of an unknown version raise `ledger-unreadable`, and left out.
 */
export function applyRecord(entries: Map<string, LedgerLine>, record: Pick<ConsumedRecord, 'key' | 'value'>): void {
  const key = record.key?.toString();
  if (key === undefined) return;
  const value = record.value === null ? undefined : decodeLedgerValue(key, record.value);
  if (value === undefined) entries.delete(key);
  else if (value.kind !== 'claim') entries.set(key, value);
}

const KINDS: ReadonlySet<string> = new Set<(LedgerLine | Claim)['kind']>(['window', 'run-window', 'run-plan', 'claim']);

/** Raises `ledger-unreadable` for a version or a kind that this program does not know: guessing could double records. */
export function decodeLedgerValue(key: string, value: Buffer): LedgerLine | Claim {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    throw unreadable(key, 'it is not JSON');
  }
  const { v, kind } = (parsed ?? {}) as Partial<LedgerLine | Claim>;
  if (v !== 1) throw unreadable(key, `its version is ${JSON.stringify(v)}, this program knows 1`);
  if (kind === undefined || !KINDS.has(kind)) throw unreadable(key, 'its kind is unknown');
  return parsed as LedgerLine | Claim;
}

function unreadable(key: string, reason: string): LedgerError {
  return new LedgerError('ledger-unreadable', `The ledger entry ${JSON.stringify(key)} cannot be read: ${reason}.`);
}
