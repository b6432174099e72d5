import type { IntervalState } from '@genesys-kafka/job-poller';
import type { ExportStatus } from '@genesys-kafka/ledger';
import { redactText } from '@genesys-kafka/runtime';
import type { IntervalStatus, RunStatus } from '../run/run-status.ts';
import { sumLine } from './report-lines.ts';

/** What `status` says: a contract. */
export interface LedgerStatus {
  readonly connector: string;
  /** Offsets behind transactions that are still open. */
  readonly hidden: number;
  readonly run?: RunStatus;
  readonly exports: readonly ExportStatus[];
}

/** The status for people. */
export function statusLines({ connector, hidden, run, exports }: LedgerStatus): string[] {
  const behind =
    hidden === 0 ? [] : [`${hidden} offsets lie behind a transaction that is still open; ask again in a minute.`];
  if (exports.length === 0 && !run) return [`Nothing in the ledger for connector ${connector}.`, ...behind];
  return [...(run ? runLines(run) : []), ...exports.flatMap(exportLines), ...behind];
}

function exportLines({
  exportId,
  contract,
  generation,
  windows,
  states,
  records,
  updatedAt,
  open,
}: ExportStatus): string[] {
  return [
    `${exportId}  ${contract}${generation > 1 ? `, generation ${generation}` : ''}, last change ${updatedAt}`,
    `  ${windows} window${windows === 1 ? '' : 's'}: ${Object.entries(states)
      .map(([state, count]) => `${count} ${state}`)
      .join(', ')}`,
    `  ${sumLine(records)}`,
    ...open.flatMap(({ window, state, counts, source, error }) => [
      `  ${state.padEnd(10)} ${window}, ${counts.read} records${source?.jobId ? `, job ${source.jobId}` : ''}`,
      ...(error ? [`             ${error.code}: ${redactText(error.message)}`] : []),
    ]),
  ];
}

const SIGNS: Readonly<Record<IntervalState, string>> = {
  published: '█',
  provisional: '▓',
  pending: '·',
  failed: '!',
  missing: '?',
};
/** Days in a line: two months and a margin fit a terminal. */
const DAYS_PER_LINE = 60;
const DAY_MS = 86_400_000;

function runLines({ contract, from, sizeMs, completeUntil, behindSeconds, windows, days, intervals }: RunStatus) {
  const counts = Object.entries(windows).map(([state, count]) => `${count} ${state}`);
  return [
    `run  ${contract}, windows of ${span(sizeMs / 1000)} from ${minute(from)}`,
    `  complete until ${minute(completeUntil)}, ${span(behindSeconds)} behind now`,
    `  ${counts.join(', ')}`,
    ...strip(Date.parse(from), days),
    ...intervals.flatMap(intervalLines),
  ];
}

/** A sign a day. */
function strip(fromMs: number, days: readonly IntervalState[]): string[] {
  if (days.length === 0) return [];
  const lines: string[] = [];
  for (let at = 0; at < days.length; at += DAYS_PER_LINE) {
    const day = new Date(fromMs + at * DAY_MS).toISOString().slice(0, 10);
    const signs = days.slice(at, at + DAYS_PER_LINE).map((state) => SIGNS[state]);
    lines.push(`  ${day}  ${signs.join('')}`);
  }
  const legend = Object.entries(SIGNS).map(([state, sign]) => `${sign} ${state}`);
  return [...lines, `              ${legend.join('  ')}`];
}

function intervalLines(interval: IntervalStatus): string[] {
  const { from, to, state, windows, until, since, attempts, nextTry, error } = interval;
  const more = [
    `${windows} window${windows === 1 ? '' : 's'}`,
    ...(until === undefined ? [] : [`read again until data of ${minute(until)}`]),
    ...(since === undefined ? [] : [`since ${since}, ${attempts} attempts, next ${nextTry}`]),
  ];
  const line = `  ${state.padEnd(11)}  ${minute(from)} to ${minute(to)}  ${more.join(', ')}`;
  return error ? [line, `               ${error.code}: ${redactText(error.message)}`] : [line];
}

function minute(instant: string): string {
  return `${instant.slice(0, 16)}Z`;
}

/** In its two largest units. */
export function span(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const parts: string[] = [];
  let left = Math.max(0, Math.round(seconds));
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
