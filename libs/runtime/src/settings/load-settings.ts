import { ConfigError, type SettingProblem } from '../errors.ts';
import { hideSecret, isSecretName } from '../redaction.ts';
import { readConfigurationFile } from './configuration-file.ts';
import { crossChecks } from './cross-checks.ts';
import { convert, type Environment, readEnvironment } from './environment.ts';
import { fieldsOf } from './fields-of.ts';
import { interpolate } from './interpolate.ts';
import { explainIssue } from './problems.ts';
import { type Settings, settingsSchema } from './settings.ts';

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
 * Every setting from file, environment and flags, checked and frozen. All problems are reported at once in one `ConfigError`,
 * each with where it was given and what to write instead. What no command needs yet may be absent: see
 * `requireSettings`. Each secret found is hidden from logs from here on.
 */
export function loadSettings({ file, env, flags = {} }: SettingsSources): Settings {
  const problems: SettingProblem[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    problems.push({
      path: 'NODE_TLS_REJECT_UNAUTHORIZED',
      problem: 'is 0, which accepts any certificate',
      fix: 'unset it, and name your certificate authority in NODE_EXTRA_CA_CERTS',
    });
  }
  const given = file ? readConfigurationFile(file, problems) : undefined;
  const fields = fieldsOf(settingsSchema);
  const merged = structuredClone(given?.value ?? {});
  const variables = new Map<string, string>();
  for (const { field, variable, value } of readEnvironment(fields, env, problems)) {
    if (setAt(merged, field.path, value)) variables.set(field.path.join('.'), variable);
    if (field.secret && typeof value === 'string') hideSecret(value);
  }
  for (const field of fields) {
    const path = field.path.join('.');
    const given = flags[path];
    if (given && setAt(merged, field.path, convert(given.text, field))) variables.set(path, given.flag);
  }
  interpolate(merged, env, problems);
  const sourceOf = (path: readonly PropertyKey[]) => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const variable = variables.get(path.slice(0, depth).join('.'));
      if (variable !== undefined) return variable;
    }
    return given?.sourceOf(path);
  };
  const parsed = settingsSchema.safeParse(merged);
  problems.push(...crossChecks(merged));
  const found = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, merged, fields));
  for (const problem of [...problems, ...found]) {
    const source = sourceOf(problem.path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key)));
    if (problem.source === undefined && source !== undefined) Object.assign(problem, { source });
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError([...problems, ...found]);
  for (const field of fields) if (field.secret) secretsAt(parsed.data, field.path).forEach(hideSecret);
  return deepFreeze(parsed.data);
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

/** The texts at a field's path, any element and any name included. */
function secretsAt(value: unknown, path: readonly string[]): string[] {
  const [key, ...rest] = path;
  if (key === undefined) {
    if (typeof value === 'string') return [value];
    // A set of headers: most are no secret, and hiding `application/json` everywhere would help nobody.
    return typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => (isSecretName(name) && typeof item === 'string' ? [item] : []))
      : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const next =
    key === '*' || key === '[]' ? (Object.values(value) as unknown[]) : [(value as Record<string, unknown>)[key]];
  return next.flatMap((item) => secretsAt(item, rest));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach((item) => deepFreeze(item as unknown));
    Object.freeze(value);
  }
  return value;
}
