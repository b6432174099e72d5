import { diff } from 'node:util';

/** Lines with `  `, `- ` for what was expected and `+ ` for what is; `…` stands for lines that are left out. */
export interface Difference {
  readonly what: string;
  readonly lines: readonly string[];
}

/** Of lines that are the same, so many are shown before and after what differs. */
const AROUND = 3;
/** What is compared takes memory by its square. */
const MOST_COMPARED = 500;
const MOST_SHOWN = 100;
/** What fits on a terminal of 80 columns beside a result's indent. */
const WIDTH = 65;
/** Of what two long lines begin with alike, so much is shown. */
const ALIKE = 20;

/** Nothing where they are the same. However much differs, it is bounded what this takes and what is shown. */
export function difference(what: string, expected: readonly string[], actual: readonly string[]): Difference[] {
  const least = Math.min(expected.length, actual.length);
  let head = 0;
  while (head < least && expected[head] === actual[head]) head += 1;
  if (head === expected.length && head === actual.length) return [];
  let tail = 0;
  while (tail < least - head && expected.at(-1 - tail) === actual.at(-1 - tail)) tail += 1;
  const middle = (lines: readonly string[]) => lines.slice(head, lines.length - tail);
  const [wanted, found] = [middle(expected), middle(actual)];
  const compared = (lines: readonly string[]) => lines.slice(0, MOST_COMPARED);
  const parts = diff(compared(found), compared(wanted));
  const changes = parts.map(([kind, line]) => `${kind === 0 ? ' ' : kind > 0 ? '+' : '-'} ${line}`);
  const same = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  const isWhole = wanted.length <= MOST_COMPARED && found.length <= MOST_COMPARED;
  const all = [
    ...same(actual.slice(0, head)),
    ...changes,
    ...(isWhole ? same(actual.slice(actual.length - tail)) : [`… the first ${MOST_COMPARED} of each were compared`]),
  ];
  const near = withoutFar(all);
  const rest = near.length - MOST_SHOWN;
  return [{ what, lines: rest > 1 ? [...near.slice(0, MOST_SHOWN), `… ${rest} lines more`] : near }];
}

/** Long lines cut to a terminal's width, where two of them differ around the first character in which they do. */
export function narrowed(lines: readonly string[]): string[] {
  const narrow = [...lines];
  for (let from = 0; from < lines.length;) {
    const removed = run(lines, from, '+ ');
    const added = run(lines, from + removed, '- ');
    for (let index = 0; index < removed + added; index += 1) {
      const other = index < removed ? index + removed : index - removed;
      const hasOther = index < removed ? index < added : other < removed;
      const line = lines[from + index]!;
      const start = hasOther ? alike(line, lines[from + other]!) - ALIKE : 0;
      narrow[from + index] = cut(line, start);
    }
    if (removed + added === 0) narrow[from] = cut(lines[from]!, 0);
    from += Math.max(1, removed + added);
  }
  return narrow;
}

function withoutFar(lines: readonly string[]): string[] {
  const shown: string[] = [];
  for (let from = 0; from < lines.length;) {
    const length = run(lines, from, '  ');
    const [before, after] = [from === 0 ? 0 : AROUND, from + length === lines.length ? 0 : AROUND];
    const hidden = length - before - after;
    if (hidden > 1) {
      shown.push(...lines.slice(from, from + before), `… ${hidden} lines that are the same`);
      shown.push(...lines.slice(from + length - after, from + length));
    } else shown.push(...lines.slice(from, from + Math.max(1, length)));
    from += Math.max(1, length);
  }
  return shown;
}

/** How many lines from there on begin so. */
function run(lines: readonly string[], from: number, sign: string): number {
  let to = from;
  while (lines[to]?.startsWith(sign) === true) to += 1;
  return to - from;
}

/** Characters behind the sign that both begin with. */
function alike(a: string, b: string): number {
  let at = 2;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at - 2;
}

function cut(line: string, wanted: number): string {
  const text = line.slice(2);
  if (text.length <= WIDTH) return line;
  const start = Math.max(0, Math.min(wanted, text.length - WIDTH));
  const end = start + WIDTH;
  return `${line.slice(0, 2)}${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`;
}
