import type { Followed } from './follow.ts';
import { peak } from './processes.ts';
import { table } from './table.ts';

const HEAD = ['readings', 'windows', 'read', 'published', 'unchanged', 'stale', ''];
const TOPIC_HEAD = [
  'conversations',
  'versions',
  'on topic',
  'new',
  'changed',
  'missing',
  'outdated',
  'twice',
  'untrue',
  '',
];

/**
 * Prints what the run read beside what is on the topic, and what a reader of its own found wrong there; true where all
 * sums are right and nothing is wrong.
 */
export function tellFollowed(
  { report, run, stopSeconds, readings, verdict, status }: Followed,
  say: (text: string) => void,
): boolean {
  let adds = true as boolean;
  const check = (isRight: boolean): string => {
    if (!isRight) adds = false;
    return isRight ? '✔' : '✖';
  };
  const { first, again } = readings;
  const rows = [
    ['first', first],
    ['again', again],
  ] as const;
  const lines = rows.map(([name, { readings: windows, read, published, unchanged, stale }]) => [
    name,
    windows,
    read,
    published,
    unchanged,
    stale,
    check(windows > 0 && read === published + unchanged + stale),
  ]);
  const { records, changed, conversations, versions, late, vanished, faults } = verdict;
  const twice = faults.doubled.length + faults.unchangedTwice.length;
  const wrong = [faults.missing.length, faults.stale.length, twice, faults.untrue.length];
  const isWhole = wrong.every((count) => count === 0) && records === first.published + again.published;
  const topic = [conversations, versions, records, records - changed, changed, ...wrong, check(isWhole)];
  say(`\n$ producer status\n${status.trimEnd()}`);
  say(`\nread = published + unchanged + stale, as the ledger has it\n${table([HEAD, ...lines])}`);
  say('\nthe topic = the organisation, version by version, as a plain read_committed reader finds it');
  say(table([TOPIC_HEAD, topic]));
  say(`Came late: ${late}. Deleted at the source, and not read since: ${vanished}.`);
  const { windows, inWork, isWhole: isClean } = report;
  const left = inWork.length === 0 ? 'nothing was in work' : `${inWork.length} windows were in work`;
  const isDone = isClean && windows.done === first.readings + again.readings;
  say(
    `SIGTERM: ended with ${run.status} after ${stopSeconds.toFixed(1)} s; ${windows.done} readings committed, ${left}; ` +
      `peak memory ${peak(run)} ${check(isDone)}`,
  );
  return adds;
}
