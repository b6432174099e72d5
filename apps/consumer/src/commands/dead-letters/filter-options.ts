import type { LetterFilter, StoredDeadLetter } from '@genesys-kafka/dead-letters';
import { compileCondition, type Rule } from '@genesys-kafka/routing';
import { parseDurationMs, parseInstantMs } from '@genesys-kafka/runtime/cli';
import { bodyOf, DEAD_LETTER_STAGES, parseRecord } from '@genesys-kafka/topics';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConsumerError } from '../../errors.ts';

/** Which dead letters are meant, as the command line spells it. */
export interface FilterFlags {
  readonly id?: string;
  readonly route?: string;
  readonly stage?: string;
  readonly cause?: string;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly state?: 'open' | 'replayed';
  readonly where?: Rule;
  readonly store?: 'topic' | 'objects';
}

/** Adds what all commands that look for dead letters take. */
export function withFilter(command: Command): Command {
  return [
    new Option('--id <id>', 'only this one, as listed'),
    new Option('--route <name>', 'only of this route; producer: of those that never came to one'),
    new Option('--stage <name>', 'only of this stage').choices(DEAD_LETTER_STAGES),
    new Option('--cause <code>', 'only of this cause, such as http-422'),
    new Option(
      '--since <time>',
      'given up from then on: 2026-01-31, 2026-01-31T08:00:00Z, or how long ago: 24h',
    ).argParser(moment),
    new Option('--until <time>', 'given up before then').argParser(moment),
    new Option('--key <key>', 'only of this conversation'),
    new Option('--state <state>', 'only those that were replayed, or were not').choices(['open', 'replayed']),
    new Option('--where <expression>', 'only those of which this CEL over record and headers is true').argParser(rule),
    new Option('--store <store>', 'look in one place alone').choices(['topic', 'objects']),
  ].reduce((all, option) => all.addOption(option), command);
}

/**
 * `onFailure` is told why --where gives no answer on a dead letter, which is then none of those that are meant. Throws
 * `filter-span-empty`.
 */
export function filterOf(
  { since, until, where, store: _store, ...same }: FilterFlags,
  onFailure: (letter: StoredDeadLetter, reason: string) => void,
): LetterFilter {
  if (since !== undefined && until !== undefined && since >= until) {
    const [from, to] = [since, until].map((ms) => new Date(ms).toISOString());
    throw new ConsumerError('filter-span-empty', `--since is ${from!}, and --until is ${to!}.`);
  }
  return {
    ...same,
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
    ...(where === undefined ? {} : { where: (letter: StoredDeadLetter) => holds(where, letter, onFailure) }),
  };
}

/** The filter as it can be kept beside what was done by it. */
export function describeFilter(
  given: Readonly<Record<string, string | number | Rule | undefined>>,
): Record<string, string> {
  const texts = Object.entries(given).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (name === 'since' || name === 'until') return [[name, new Date(value as number).toISOString()]];
    return [[name, typeof value === 'object' ? (expressions.get(value) ?? '') : String(value)]];
  });
  return Object.fromEntries(texts);
}

/** What cannot be read as JSON has no fields: only what is asked of its headers can be true. */
function holds(
  expression: Rule,
  letter: StoredDeadLetter,
  onFailure: (letter: StoredDeadLetter, reason: string) => void,
): boolean {
  const value = letter.value();
  const body = value === null ? undefined : bodyOf(value, letter.deadLetter.framing);
  const read = body && parseRecord({ kind: 'record', body, contentType: 'application/json' });
  const headers = Object.entries(letter.headers()).map(([name, one]) => [name, one.toString('utf8')]);
  const verdict = expression.evaluate({
    // Undefined, not empty: of an empty one `!has(record.x)` would be true.
    record: read?.kind === 'json' ? read.parsed : undefined,
    headers: Object.fromEntries(headers) as Record<string, string>,
  });
  if ('matched' in verdict) return verdict.matched;
  if (read?.kind === 'json') onFailure(letter, verdict.error);
  return false;
}

const DAY_MS = 86_400_000;
const expressions = new WeakMap<object, string>();

function rule(text: string): Rule {
  const compiled = compileCondition(text, '--where');
  expressions.set(compiled, text);
  return compiled;
}

export function moment(text: string): number {
  const ago = /^\d+(?:ms|s|m|h|d)$/.test(text) ? parseDurationMs(text) : undefined;
  const ms = ago === undefined ? parseInstantMs(text) : Date.now() - ago;
  // Beyond what a Date holds, by a day or more.
  if (ms === undefined || Number.isNaN(new Date(ms - DAY_MS).getTime())) {
    throw new InvalidArgumentError('Write a day such as 2026-01-31, 2026-01-31T08:00:00Z, or how long ago: 24h.');
  }
  return ms;
}
