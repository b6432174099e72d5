import type { SettingProblem } from '../errors.ts';
import { hideSecret } from '../redaction.ts';
import { type Environment, readVariable } from './environment.ts';

/**
 * Replaces `${NAME}` in the texts of sinks and of the dead letters' store by the environment variable of that name (or
 * by the content of the file in `NAME_FILE`), in place, so that a file under version control holds no secret.
 * `$${` is a literal `${`. A variable that is not set is a problem, never an empty text.
 */
export function interpolate(root: Record<string, unknown>, env: Environment, problems: SettingProblem[]): void {
  for (const section of ['sinks', 'deadLetters']) walk(root[section], [section], env, problems);
}

function walk(value: unknown, path: readonly string[], env: Environment, problems: SettingProblem[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'string') {
      (value as Record<string, unknown>)[key] = replace(item, [...path, key].join('.'), env, problems);
    } else walk(item, [...path, key], env, problems);
  }
}

function replace(text: string, path: string, env: Environment, problems: SettingProblem[]): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}/g, (whole, name: string | undefined) => {
    if (name === undefined) return '${';
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problems.push({
        path,
        problem: `has \${…} around what is no variable's name`,
        fix: 'write $${ for a literal ${',
      });
      return whole;
    }
    const before = problems.length;
    const found = readVariable(name, env, true, problems);
    if (found) hideSecret(found.text);
    else if (problems.length === before) {
      problems.push({
        path,
        problem: `takes ${name} from the environment, which has none`,
        fix: `set ${name} or ${name}_FILE`,
      });
    }
    return found?.text ?? whole;
  });
}
