import type { SettingProblem } from '../errors.ts';
import type { Environment } from './environment.ts';
import type { Field } from './fields-of.ts';

/** Something that may hold settings, by name. */
export type Tree = Readonly<Record<string, unknown>>;

export interface Given {
  /** File, environment and flags laid over each other, before anything is parsed: values may have any type. */
  readonly tree: Tree;
  readonly fields: readonly Field[];
  readonly env: Environment;
}

/**
 * A rule over several settings at once. It runs on what was given, not on what was parsed, so that its problems are
 * told together with all others; it passes over whatever has the wrong type, which is reported anyway.
 */
export type CrossCheck = (given: Given) => readonly SettingProblem[];

/** Two settings, by their paths, that make sense only together. */
export function together(first: string, second: string, fix: string): CrossCheck {
  return ({ tree: given }) => {
    const [one, two] = [first, second].map((path) => valueAt(given, path.split('.')) !== undefined);
    if (one === two) return [];
    const [there, missing] = one ? [first, second] : [second, first];
    return [{ path: missing, problem: `is missing next to ${there}`, fix }];
  };
}

/** A value as a set of keys: an empty one where it is none. */
export function treeOf(value: unknown): Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

/** A value as a list: an empty one where it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Whatever lies at the path of a field, with the paths of their own: `*` and `[]` stand for any name and any element. */
export function valuesAt(
  root: unknown,
  [key, ...rest]: readonly string[],
  above: readonly string[] = [],
): { readonly path: string; readonly keys: readonly string[]; readonly value: unknown }[] {
  if (key === undefined) return root === undefined ? [] : [{ path: above.join('.'), keys: above, value: root }];
  if (typeof root !== 'object' || root === null) return [];
  const names = key === '*' || key === '[]' ? Object.keys(root) : [key];
  return names.flatMap((name) => valuesAt((root as Record<string, unknown>)[name], rest, [...above, name]));
}

/** Whether a field is known at this path: the sections above it are of types that have it. */
export function isKnownAt({ within }: Field, path: readonly PropertyKey[], tree: unknown): boolean {
  return within.every(({ at, types }) => {
    const type = valueAt(tree, [...path.slice(0, at.length), 'type']);
    return typeof type !== 'string' || types.includes(type);
  });
}

/** What is given for a field, wherever it is known. */
export function valuesOf(tree: unknown, field: Field): ReturnType<typeof valuesAt> {
  return valuesAt(tree, field.path).filter(({ keys }) => isKnownAt(field, keys, tree));
}
