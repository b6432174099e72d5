import { ConfigError, type SettingProblem } from '../errors.ts';
import { valueAt } from './cross-check.ts';
import { fieldsBehind } from './definition.ts';

/** What lies at a dotted path of the settings, once it is known to be there. */
type At<T, P extends string> = P extends `${infer K}.${infer R}`
  ? K extends keyof T
    ? At<NonNullable<T[K]>, R>
    : never
  : P extends keyof T
    ? NonNullable<T[P]>
    : never;

/**
 * The settings that a command cannot do without, by path: `requireSettings(settings, ['kafka.brokers'])`. Throws one
 * `ConfigError` that names each missing one with both ways to set it. An empty list counts as missing.
 */
export function requireSettings<S extends object, const P extends string>(
  settings: S,
  paths: readonly P[],
): { readonly [K in P]: At<S, K> } {
  const values = paths.map((path) => [path, valueAt(settings, path.split('.'))] as const);
  const problems = values.flatMap(([path, value]) => (isMissing(value) ? [missingSetting(settings, path)] : []));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(values) as { readonly [K in P]: At<S, K> };
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** The problem of a setting that is not there, naming its environment variable and its place in the file. */
export function missingSetting(settings: object, path: string): SettingProblem {
  const field = fieldsBehind(settings).find((known) => known.path.join('.') === path);
  const inFile = `${path} in the --config file`;
  const fix = field?.env === undefined ? `set ${inFile}` : `set ${field.env} or ${inFile}`;
  return { path, problem: 'is needed by this command and not set', fix };
}
