import type { z } from 'zod';
import { ConfigError, type SettingProblem } from '../errors.ts';
import { hideSecret, isSecretName } from '../redaction.ts';
import { readConfigurationFile } from './configuration-file.ts';
import { valuesAt } from './cross-check.ts';
import { rememberDefinition, type SettingsDefinition, type SettingsOf } from './definition.ts';
import { convert, type Environment, readEnvironment } from './environment.ts';
import { interpolate } from './interpolate.ts';
import { explainIssue } from './problems.ts';

export interface SettingsSources {
  /** Path of a YAML file. */
  readonly file?: string | undefined;
  /** The environment, which wins over the file. */
  readonly env: Environment;
  /** What the command line sets, which wins over both, by path: `consumer.stopGrace`. */
  readonly flags?: Readonly<Record<string, GivenFlag>>;
}

export interface GivenFlag {
  /** As it is written, for messages: `--stop-grace`. */
  readonly flag: string;
  readonly text: string;
}

/**
 * Every setting of a definition from file, environment and flags, checked and frozen. All problems are reported at once
 * in one `ConfigError`, each with where it was given and what to write instead. What no command needs yet may be
 * absent: see `requireSettings`. Each secret found is hidden from logs from here on.
 */
export function loadSettings<S extends z.ZodType>(
  definition: SettingsDefinition<S>,
  { file, env, flags = {} }: SettingsSources,
): SettingsOf<SettingsDefinition<S>> {
  const { schema, fields, checks, readElsewhere } = definition;
  const problems: SettingProblem[] = [];
  const given = file ? readConfigurationFile(file, problems) : undefined;
  const merged = structuredClone(given?.value ?? {});
  for (const path of readElsewhere) removeAt(merged, path.split('.'));
  const variables = new Map<string, string>();
  for (const { field, variable, value } of readEnvironment(fields, env, problems)) {
    if (setAt(merged, field.path, value)) variables.set(field.path.join('.'), variable);
    if (field.secret && typeof value === 'string') hideSecret(value);
  }
  for (const field of fields) {
    const path = field.path.join('.');
    const flag = flags[path];
    if (flag && setAt(merged, field.path, convert(flag.text, field))) variables.set(path, flag.flag);
  }
  interpolate(merged, fields, env, problems, ({ path }) => !variables.has(path.join('.')));
  const sourceOf = (path: readonly PropertyKey[]) => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const variable = variables.get(path.slice(0, depth).join('.'));
      if (variable !== undefined) return variable;
    }
    return given?.sourceOf(path);
  };
  const parsed = schema.safeParse(merged);
  problems.push(...checks.flatMap((check) => check({ tree: merged, fields, env })));
  if (!parsed.success)
    problems.push(...parsed.error.issues.flatMap((issue) => explainIssue(issue, merged, definition)));
  for (const problem of problems) {
    const source = sourceOf(problem.path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key)));
    if (problem.source === undefined && source !== undefined) Object.assign(problem, { source });
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  const settings = parsed.data as SettingsOf<SettingsDefinition<S>> & object;
  for (const { secret, path } of fields) if (secret) secretsAt(settings, path).forEach(hideSecret);
  rememberDefinition(settings, definition);
  return deepFreeze(settings);
}

/** Sets a value, making sections on the way. False where the file has something else in a section's place. */
function setAt(root: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  let section = root;
  for (const key of path.slice(0, -1)) {
    const next = (section[key] ??= {});
    if (typeof next !== 'object' || Array.isArray(next)) return false;
    section = next as Record<string, unknown>;
  }
  section[path.at(-1)!] = value;
  return true;
}

function removeAt(root: unknown, [key, ...rest]: readonly string[]): void {
  if (typeof root !== 'object' || root === null) return;
  if (rest.length === 0) Reflect.deleteProperty(root, key!);
  else removeAt((root as Record<string, unknown>)[key!], rest);
}

function secretsAt(settings: object, path: readonly string[]): string[] {
  return valuesAt(settings, path).flatMap(({ value }) => {
    if (typeof value === 'string') return [value];
    // A set of headers: most are no secret, and hiding `application/json` everywhere would help nobody.
    return typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => (isSecretName(name) && typeof item === 'string' ? [item] : []))
      : [];
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach((item) => deepFreeze(item as unknown));
    Object.freeze(value);
  }
  return value;
}
