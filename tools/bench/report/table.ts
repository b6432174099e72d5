import type { Line, Movement } from './figures.ts';
import type { MissingPeer } from '../peers/peers.ts';
import type { Spread } from './statistics.ts';

export const HEAD = ['', 'wall s', 'MB/s', 'CPU s, client', 'CPU s, broker', 'peak MB', '× the guide’s stack'] as const;
const UNKNOWN = '—';
/** A broker so far away that each answer takes 10 ms longer. */
export const FAR_NAME = 'publish, broker 10 ms away';

/** The table's cells below its head, as text; a peer that could not be run has a line that says so. */
export function cells(lines: readonly Line[], missing: readonly MissingPeer[]): string[][] {
  const measured = lines.map((line) => [
    line.name,
    withRange(line.seconds),
    line.megabytesPerSecond.toFixed(0),
    line.clientCpuSeconds?.median.toFixed(1) ?? UNKNOWN,
    line.brokerCpuSeconds?.median.toFixed(1) ?? UNKNOWN,
    line.peakBytes ? (line.peakBytes.median / 1e6).toFixed(0) : UNKNOWN,
    line.timesTheGuide?.toFixed(2) ?? UNKNOWN,
  ]);
  return [
    ...measured,
    ...missing.map(({ name }) => [name, 'missing', ...Array<string>(HEAD.length - 2).fill(UNKNOWN)]),
  ];
}

/** What the way to the broker costs. */
function farther(lines: readonly Line[]): string[] {
  const near = lines.find(({ name }) => name === 'publish');
  const far = lines.find(({ name }) => name === FAR_NAME);
  if (!near || !far) return [];
  return [`${FAR_NAME}: ${(far.seconds.median / near.seconds.median).toFixed(2)} times as long as beside it.`];
}

/** What the table cannot say: why a peer is missing, and whether a server had the cores that a program waited for. */
export function notes(lines: readonly Line[], missing: readonly MissingPeer[]): string[] {
  const absent = missing.map((peer) => `${peer.name} is missing: ${peer.missing}`);
  const served = lines.flatMap(({ name, sourceCpuSeconds }) =>
    sourceCpuSeconds
      ? [`${name}: the server that it fetched from took ${sourceCpuSeconds.median.toFixed(1)} s of CPU.`]
      : [],
  );
  const late = lines.flatMap(({ loopDelayMs }) => loopDelayMs?.max ?? []);
  const delay = `The product’s event loop was at most ${Math.max(...late).toFixed(0)} ms late (p99 of each run).`;
  return [...absent, ...served, ...farther(lines), ...(late.length > 0 ? [delay] : [])];
}

export const MOVED_HEAD = ['now ÷ then', 'wall', 'CPU, client', 'CPU, broker', 'peak memory'] as const;

export function movedCells(moved: readonly Movement[]): string[][] {
  const ratio = (of: Spread | undefined) =>
    of ? `${of.median.toFixed(2)} (${of.min.toFixed(2)}–${of.max.toFixed(2)})` : UNKNOWN;
  return moved.map(({ name, seconds, clientCpu, brokerCpu, peak }) => [
    name,
    ...[seconds, clientCpu, brokerCpu, peak].map(ratio),
  ]);
}

function withRange({ median, min, max }: Spread): string {
  return min === max ? median.toFixed(1) : `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
