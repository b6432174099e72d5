import type { SettingProblem } from '../errors.ts';
import { hideSecret } from '../redaction.ts';
import { type Environment, readVariable } from './environment.ts';
import type { Field } from './fields-of.ts';

/**
 * Replaces `${NAME}` in the texts below fields that say `variables` by the environment variable of that name (or by the
 * content of the file in `NAME_FILE`), in place, so that a file under version control holds no secret. `$${` is a
 * literal `${`. A variable that is not set is a problem, never an empty text; so is one in a setting that has a variable
 * of its own, unless that gave it (`isFromFile`): nobody wants `${DB_PASSWORD}` for a password.
 */
export function interpolate(
  root: Record<string, unknown>,
  fields: readonly Field[],
  env: Environment,
  problems: SettingProblem[],
  isFromFile: (field: Field) => boolean,
): void {
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const below = [...path, key];
      if (typeof item !== 'string') {
        walk(item, below);
        continue;
      }
      const above = fields.filter((field) => field.path.every((name, index) => name === below[index]));
      const own = above.find((field) => field.env !== undefined && isFromFile(field));
      if (above.some(({ variables }) => variables))
        (value as Record<string, unknown>)[key] = replace(item, below.join('.'), env, problems);
      else if (own && /\$\{[A-Za-z_][A-Za-z0-9_]*\}/.test(item)) problems.push(notReplaced(below.join('.'), own));
    }
  };
  walk(root, []);
}

function notReplaced(path: string, { env, secret }: Field): SettingProblem {
  const variables = secret ? `${env} or ${env}_FILE` : env;
  return { path, problem: 'has ${…}, which is not replaced here', fix: `leave it out, and set ${variables}` };
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
