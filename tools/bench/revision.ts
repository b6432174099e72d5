import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from './options.ts';
import { untilEnd } from './until-end.ts';

const ROOT = join(import.meta.dirname, '../..');
const git = async (...args: readonly string[]) => (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim();

/** Another commit of this repository, checked out and installed. */
export interface Revision extends AsyncDisposable {
  readonly root: string;
  /** `@` and its short hash. */
  readonly label: string;
}

/**
 * Makes a work tree of a commit in the temporary directory and installs its packages there; disposing removes it. Raises
 * UsageError where there is no such commit.
 */
export async function checkOut(name: string, signal: AbortSignal): Promise<Revision> {
  const commit = await git('rev-parse', '--verify', `${name}^{commit}`).catch(() => {
    throw new UsageError(`--compare names ${name}, which is no commit here.`);
  });
  const parent = await mkdtemp(join(tmpdir(), 'bench-revision-'));
  const root = join(parent, 'tree');
  const remove = async () => {
    // Without one (an unknown commit) there is nothing to remove.
    await git('worktree', 'remove', '--force', root).catch(() => undefined);
    await rm(parent, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await git('worktree', 'add', '--detach', root, commit);
    await install(root, signal);
    return { root, label: `@${commit.slice(0, 7)}`, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function install(root: string, signal: AbortSignal): Promise<void> {
  // What npm tells the scripts that it runs is about this checkout, not about that one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  const npm = spawn('npm', ['ci', '--no-progress', '--no-audit', '--no-fund'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  const status = await untilEnd(npm, signal);
  if (status !== 0) throw new Error(`npm ci in a checkout of the other commit ended with ${status}.`);
}
