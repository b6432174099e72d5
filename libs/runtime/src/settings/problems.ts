import type { z } from 'zod';
import type { SettingProblem } from '../errors.ts';
import { closest } from './closest.ts';
import { isKnownAt, valueAt } from './cross-check.ts';
import type { SettingsDefinition } from './definition.ts';
import type { Field } from './fields-of.ts';

type Issue = z.core.$ZodIssue;

/**
 * A failed check as path, problem and fix. Given values are shown only for choices of a fixed set and never for
 * secrets. Messages of our own checks are written as `<problem>; <fix>`.
 */
export function explainIssue(issue: Issue, given: unknown, definition: SettingsDefinition): SettingProblem[] {
  const { fields } = definition;
  const path = issue.path;
  const field = fieldAt(path, fields);
  const value = valueAt(given, path);
  const where = path.join('.');
  const problem = (text: string, fix: string): SettingProblem[] => [{ path: where, problem: text, fix }];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.flatMap((key) => unknownKey([...path, key], given, definition));
  if (value === undefined && issue.code !== 'custom') return problem('is missing', missingFix(field));
  switch (issue.code) {
    case 'invalid_value': {
      const shown = typeof value === 'string' && !field?.secret ? ` ("${value.slice(0, 60)}")` : '';
      const guess = typeof value === 'string' ? closest(value, issue.values.map(String)) : undefined;
      return problem(
        `is not one of ${issue.values.map(String).join(', ')}${shown}`,
        guess === undefined ? 'choose one of these' : `did you mean ${guess}?`,
      );
    }
    case 'invalid_type':
      if (!issue.message.startsWith('Invalid input')) return problem(...split(issue.message));
      return wrongType(issue.expected, value, field?.kind ?? shownKeys(keysAt(path, given, definition)), problem);
    case 'too_small':
      return problem(
        `is too ${issue.origin === 'string' || issue.origin === 'array' ? 'short' : 'small'}`,
        `the least is ${String(issue.minimum)}`,
      );
    case 'too_big':
      return problem(
        `is too ${issue.origin === 'string' || issue.origin === 'array' ? 'long' : 'large'}`,
        `the most is ${String(issue.maximum)}`,
      );
    case 'invalid_union':
      return unionProblem(issue, given, definition, problem);
    case 'invalid_key':
      return problem(...split(issue.issues[0]?.message ?? 'has a name that is not allowed'));
    default:
      return problem(...split(issue.message));
  }
}

/** Kinds of settings that are what their type is called already. */
const SAYS_NO_MORE = new Set(['', 'text', 'list', 'object', 'true | false']);

/** `known`: what the setting holds, by its kind, or by the keys of a section. */
function wrongType(
  expected: string,
  value: unknown,
  known: string | undefined,
  problem: (text: string, fix: string) => SettingProblem[],
): SettingProblem[] {
  const wanted = expected === 'int' ? 'a whole number' : article(expected);
  const quoted = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  const example = known === undefined || SAYS_NO_MORE.has(known) ? '' : ` (${known})`;
  return problem(`is ${typeName(value)}, not ${wanted}`, quoted ? 'put it in quotes' : `write ${wanted}${example}`);
}

function unionProblem(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  given: unknown,
  definition: SettingsDefinition,
  problem: (text: string, fix: string) => SettingProblem[],
): SettingProblem[] {
  if ('discriminator' in issue && issue.discriminator !== undefined) {
    const value = valueAt(given, issue.path);
    const choices = fieldAt(issue.path, definition.fields)?.kind.split(' | ') ?? [];
    const guess = typeof value === 'string' ? closest(value, choices) : undefined;
    const fix = guess === undefined ? `choose one of ${choices.join(', ')}` : `did you mean ${guess}?`;
    return problem(value === undefined ? 'is missing' : 'is not a known type', fix);
  }
  // Of a plain union the text branch explains best: it is the one with a fix in its message.
  const inner = (issue.errors as Issue[][]).flat().find(({ message }) => message.includes(';'));
  return inner
    ? explainIssue({ ...inner, path: issue.path }, given, definition)
    : problem('has the wrong type', 'correct it');
}

function unknownKey(path: readonly PropertyKey[], given: unknown, definition: SettingsDefinition): SettingProblem[] {
  const siblings = keysAt(path.slice(0, -1), given, definition);
  const guess = closest(String(path.at(-1)), siblings);
  const fix = guess === undefined ? `known here: ${siblings.join(', ')}` : `did you mean ${guess}?`;
  return [{ path: path.join('.'), problem: 'is not a setting', fix }];
}

/** Of a section that comes in several types, its type comes first: it says what else there is. */
function shownKeys(keys: readonly string[]): string {
  return keys.includes('type') ? 'type, …' : keys.join(', ');
}

/** What may stand in a section. */
function keysAt(
  section: readonly PropertyKey[],
  given: unknown,
  { fields, readElsewhere }: SettingsDefinition,
): string[] {
  const known = [
    ...fields.filter((field) => isKnownAt(field, section, given)).map((field) => field.path),
    ...readElsewhere.map((elsewhere) => elsewhere.split('.')),
  ];
  const below = known.filter((one) => matches(one, section) && one.length > section.length);
  return [...new Set(below.map((one) => one[section.length]!))];
}

function missingFix(field: Field | undefined): string {
  if (field?.env === undefined) return field?.kind.includes(' | ') ? `add it: ${field.kind}` : 'add it';
  return `add it, or set ${field.env}${field.secret ? ` or ${field.env}_FILE` : ''}`;
}

function fieldAt(path: readonly PropertyKey[], fields: readonly Field[]): Field | undefined {
  return fields.find((field) => field.path.length === path.length && matches(field.path, path));
}

/** Whether `path` runs along `pattern`, as far as `path` goes. */
function matches(pattern: readonly string[], path: readonly PropertyKey[]): boolean {
  return path.every((key, index) => {
    const expected = pattern[index];
    return expected === key || expected === '*' || (expected === '[]' && typeof key === 'number');
  });
}

function split(message: string): [string, string] {
  const at = message.indexOf('; ');
  return at < 0 ? [message, 'correct it'] : [message.slice(0, at), message.slice(at + 2)];
}

function typeName(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return article(typeof value);
}

function article(type: string): string {
  const names: Record<string, string> = {
    array: 'a list',
    record: 'a set of keys',
    object: 'a set of keys',
    string: 'text',
    boolean: 'true or false',
  };
  return names[type] ?? `a ${type}`;
}
