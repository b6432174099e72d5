import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cached } from './cached.ts';

const HERE = join(import.meta.dirname, 'python');
const exec = promisify(execFile);

/**
 * A virtual environment with the packages of requirements.txt. Resolves with how a script of the folder is run. Rejects
 * where there is no Python 3 with venv, or a package cannot be had.
 */
export async function pythonPeers(
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly command: (script: string) => readonly string[] }> {
  const { stdout } = await exec('python3', ['-c', 'import sys; print(sys.executable, sys.version)'], { signal });
  const requirements = join(HERE, 'requirements.txt');
  const dir = await cached('bench-python', [stdout, await readFile(requirements)], async (venv) => {
    onProgress('installing the Python peer’s packages (once)');
    await exec('python3', ['-m', 'venv', venv], { signal });
    const install = ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', requirements];
    await exec(join(venv, 'bin/python'), install, { signal });
  });
  const version = (await exec('python3', ['--version'], { signal })).stdout.trim();
  return { version, command: (script) => [join(dir, 'bin/python'), join(HERE, script)] };
}
