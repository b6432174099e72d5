import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/**
 * Starts an app by its script in the root's package.json, as npm would. The script ends in `exec`: the process is the
 * app. `root` is another checkout, with its packages installed.
 */
export function startScript(
  name: 'producer' | 'consumer' | 'simulator',
  args: readonly string[],
  { root = ROOT, ...options }: SpawnOptions & { readonly env: NodeJS.ProcessEnv; readonly root?: string },
): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const PATH = [join(root, 'node_modules/.bin'), options.env.PATH ?? process.env.PATH].join(delimiter);
  return spawn('sh', ['-c', `${scripts[name]} "$@"`, name, ...args], {
    ...options,
    cwd: root,
    env: { ...options.env, PATH },
  });
}
