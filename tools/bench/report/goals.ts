import type { Line } from './figures.ts';
import { FAR_NAME } from './table.ts';

interface Goal {
  readonly what: string;
  /** The figure is to be at most, or at least, so much. */
  readonly bound: { readonly most: number } | { readonly least: number };
  readonly unit?: string;
  /** Undefined where a line that it takes was not run. */
  readonly figure: (lines: readonly Line[]) => number | undefined;
}

const MIB = 2 ** 20;
const find = (lines: readonly Line[], name: string) => lines.find((line) => line.name === name);
const seconds = (name: string) => (lines: readonly Line[]) => find(lines, name)?.seconds.median;
const peakMib = (name: string) => (lines: readonly Line[]) => {
  const bytes = find(lines, name)?.peakBytes?.median;
  return bytes === undefined ? undefined : bytes / MIB;
};

function ratio(of: Goal['figure'], by: Goal['figure']): Goal['figure'] {
  return (lines) => {
    const [above, below] = [of(lines), by(lines)];
    return above === undefined || below === undefined ? undefined : above / below;
  };
}

const GOALS: readonly Goal[] = [
  {
    what: 'wall time by that of `java-jackson-stream`',
    bound: { most: 1 },
    figure: ratio(seconds('publish'), seconds('java-jackson-stream')),
  },
  {
    what: 'times as fast as the guide’s stack',
    bound: { least: 1.9 },
    figure: (lines) => find(lines, 'publish')?.timesTheGuide,
  },
  {
    what: 'CPU of the client',
    bound: { most: 9 },
    unit: ' s',
    figure: (lines) => find(lines, 'publish')?.clientCpuSeconds?.median,
  },
  {
    what: '`publish-http` by `publish`',
    bound: { most: 1.1 },
    figure: ratio(seconds('publish-http'), seconds('publish')),
  },
  {
    what: 'speed of `export-details-jobs` by that of `publish`',
    bound: { least: 0.9 },
    figure: ratio(seconds('publish'), seconds('export-details-jobs')),
  },
  {
    what: 'speed of `export-bulk-archive` by that of `publish`',
    bound: { least: 0.9 },
    figure: ratio(seconds('publish'), seconds('export-bulk-archive')),
  },
  { what: 'peak memory of `publish`', bound: { most: 200 }, unit: ' MiB', figure: peakMib('publish') },
  {
    what: 'peak memory at ten times the records by that',
    bound: { most: 1.1 },
    figure: (lines) => {
      const large = lines.find(({ name }) => /^publish, .* records$/.test(name));
      return large && ratio(peakMib(large.name), peakMib('publish'))(lines);
    },
  },
  {
    what: 'event loop of `publish` late, p99',
    bound: { most: 20 },
    unit: ' ms',
    figure: (lines) => find(lines, 'publish')?.loopDelayMs?.median,
  },
  {
    what: 'a broker 10 ms away: wall time by that beside it',
    bound: { most: 1.4 },
    figure: ratio(seconds(FAR_NAME), seconds('publish')),
  },
];

export const GOAL_HEAD = ['`publish`, unless it says otherwise', 'goal', 'measured', ''] as const;

/** A row for each goal whose lines were run. */
export function goalCells(lines: readonly Line[]): string[][] {
  return GOALS.flatMap(({ what, bound, unit = '', figure }) => {
    const measured = figure(lines);
    if (measured === undefined) return [];
    const [word, limit] = 'most' in bound ? ['at most', bound.most] : ['at least', bound.least];
    // As it is shown: what rounds to the goal has reached it.
    const shown = unit === '' ? measured.toFixed(2) : measured.toFixed(unit === ' s' ? 1 : 0);
    const isMet = 'most' in bound ? Number(shown) <= limit : Number(shown) >= limit;
    return [[what, `${word} ${limit}${unit}`, `${shown}${unit}`, isMet ? 'reached' : 'missed']];
  });
}
