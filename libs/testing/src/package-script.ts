import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** Starts an app by its script in the root's package.json, as npm would. The script ends in `exec`: the process is the app. */
export function startScript(
  name: 'producer' | 'consumer' | 'simulator',
  args: readonly string[],
  options: SpawnOptions & { readonly env: NodeJS.ProcessEnv },
): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const PATH = [join(ROOT, 'node_modules/.bin'), options.env.PATH ?? process.env.PATH].join(delimiter);
  return spawn('sh', ['-c', `${scripts[name]} "$@"`, name, ...args], {
    ...options,
    cwd: ROOT,
    env: { ...options.env, PATH },
  });
}
