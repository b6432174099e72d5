import { readFileSync } from 'node:fs';
import type { SettingProblem } from '../errors.ts';
import type { Field } from './fields-of.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentValue {
  readonly field: Field;
  /** The variable it came from: `KAFKA_SASL_PASSWORD` or `KAFKA_SASL_PASSWORD_FILE`. */
  readonly variable: string;
  readonly value: unknown;
}

/**
 * What the environment sets, as the file would have said it. An empty variable counts as unset. Secrets may come from
 * the file that `<NAME>_FILE` names (its last line break dropped). Problems are added, never thrown.
 */
export function readEnvironment(
  fields: readonly Field[],
  env: Environment,
  problems: SettingProblem[],
): EnvironmentValue[] {
  const values: EnvironmentValue[] = [];
  for (const field of fields) {
    if (field.env === undefined) continue;
    const found = readVariable(field.env, env, field.secret, problems);
    if (found) values.push({ field, variable: found.variable, value: convert(found.text, field) });
  }
  return values;
}

/** One variable's text, itself or through `<name>_FILE`; undefined where neither is set, or a problem was added. */
export function readVariable(
  name: string,
  env: Environment,
  withFile: boolean,
  problems: SettingProblem[],
): { readonly variable: string; readonly text: string } | undefined {
  // Empty counts as unset. Proxy variables are commonly written in lower case, which wins here as it does in curl.
  const spellings = name.endsWith('_PROXY') ? [env[name.toLowerCase()], env[name]] : [env[name]];
  const direct = spellings.find((text) => text !== undefined && text !== '');
  const variable = `${name}_FILE`;
  const file = withFile ? env[variable] : undefined;
  if (file && direct) {
    problems.push({ path: name, problem: `is set, and so is ${variable}`, fix: 'keep one of them' });
    return undefined;
  }
  if (direct) return { variable: name, text: direct };
  if (!file) return undefined;
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return { variable, text };
    problems.push({ path: variable, problem: 'names an empty file', fix: 'write the secret into it' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    problems.push({
      path: variable,
      problem: `names a file that cannot be read (${code}): ${file}`,
      fix: 'correct the path or the permissions',
    });
  }
  return undefined;
}

/** Text of the environment or a flag to what the file would hold. What does not fit stays text, so that the schema says what is wrong. */
export function convert(text: string, field: Field): unknown {
  const trimmed = text.trim();
  switch (field.shape) {
    case 'list':
      return trimmed
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'number':
      return /^[+-]?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (['true', '1', 'yes', 'on'].includes(lower)) return true;
      return ['false', '0', 'no', 'off'].includes(lower) ? false : trimmed;
    }
    case 'text':
      return field.secret ? text : trimmed;
  }
}
