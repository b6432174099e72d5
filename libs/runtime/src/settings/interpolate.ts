import type { SettingProblem } from '../errors.ts';
import { hideSecret } from '../redaction.ts';
import { type Environment, readVariable } from './environment.ts';
import type { Field } from './fields-of.ts';

/**
 * Replaces `${NAME}` in the texts below fields that say `variables` by the environment variable of that name (or by the
 * content of the file in `NAME_FILE`), in place, so that a file under version control holds no secret. `$${` is a
 * literal `${`. A variable that is not set is a problem, never an empty text.
 */
export function interpolate(
  root: Record<string, unknown>,
  fields: readonly Field[],
  env: Environment,
  problems: SettingProblem[],
): void {
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const below = [...path, key];
      if (typeof item !== 'string') walk(item, below);
      else if (takesVariables(below, fields)) {
        (value as Record<string, unknown>)[key] = replace(item, below.join('.'), env, problems);
      }
    }
  };
  walk(root, []);
}

function takesVariables(path: readonly string[], fields: readonly Field[]): boolean {
  return fields.some(({ variables, path: above }) => variables && above.every((key, index) => key === path[index]));
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
