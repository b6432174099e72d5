import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STALE_LOCK_MS = 20_000;
const STALE_PARTIAL_MS = 3_600_000;

export interface CacheOptions {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** The cache's root; a directory per version lies below it. */
  readonly cacheDir?: string;
}

/** `$XDG_CACHE_HOME/genesys-kafka`, or `~/.cache/genesys-kafka`. */
export function defaultCacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'genesys-kafka');
}

/**
 * A directory of the cache, made when it is missing. It appears whole or not at all: an interrupted `make` leaves only
 * a partial one, swept later, and of two at once one wins. The lock merely spares the second the work.
 */
export async function cachedDirectory(
  name: string,
  options: CacheOptions,
  make: (partial: string) => Promise<void>,
): Promise<string> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const dir = join(cacheDir, name);
  if (await exists(dir)) return dir;
  await mkdir(cacheDir, { recursive: true });
  await using lock = await lockDirectory(join(cacheDir, '.lock'), options, async () => exists(dir));
  if (lock.held && !(await exists(dir))) await makeWhole(cacheDir, dir, make);
  return dir;
}

async function makeWhole(cacheDir: string, dir: string, make: (partial: string) => Promise<void>): Promise<void> {
  await sweepPartials(cacheDir);
  const partial = await mkdtemp(join(cacheDir, '.partial-'));
  try {
    await make(partial);
    await rename(partial, dir);
  } catch (error) {
    // Another run was faster and its directory stands: nothing has failed.
    if (!(await exists(dir))) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function sweepPartials(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith('.partial-')) continue;
    const path = join(cacheDir, name);
    if ((await ageMs(path)) > STALE_PARTIAL_MS) await rm(path, { recursive: true, force: true });
  }
}

interface DirectoryLock extends AsyncDisposable {
  /** False when waiting became pointless before the lock was free. */
  readonly held: boolean;
}

/** A lock that survives its holder's death: the holder touches it, and one untouched for 20 s is taken over. */
async function lockDirectory(
  path: string,
  options: CacheOptions,
  pointless: () => Promise<boolean>,
): Promise<DirectoryLock> {
  for (let told = false; ; told = true) {
    try {
      await mkdir(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await pointless()) return { held: false, [Symbol.asyncDispose]: async () => undefined };
    if ((await ageMs(path)) > STALE_LOCK_MS) {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    if (!told) options.onProgress('another run is fetching servers: waiting for it');
    await delay(250, undefined, { signal: options.signal });
  }
  const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), STALE_LOCK_MS / 10);
  return {
    held: true,
    async [Symbol.asyncDispose]() {
      clearInterval(touch);
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}
