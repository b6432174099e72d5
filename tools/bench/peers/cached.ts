import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCacheDir } from '@genesys-kafka/testing';

/**
 * A directory of the cache, filled once for the same `ingredients`, whole or not at all: what fails or is broken off
 * leaves nothing, and of two that fill it at once one wins.
 */
export async function cached(
  name: string,
  ingredients: readonly (string | Buffer)[],
  fill: (dir: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256');
  for (const ingredient of ingredients) digest.update(ingredient).update('\0');
  const cacheDir = defaultCacheDir();
  const dir = join(cacheDir, `${name}-${digest.digest('hex').slice(0, 8)}`);
  if (await exists(dir)) return dir;
  await mkdir(cacheDir, { recursive: true });
  // Swept with other partial ones when the servers are downloaded, should this process be killed.
  const partial = await mkdtemp(join(cacheDir, '.partial-'));
  try {
    await fill(partial);
    await rename(partial, dir);
  } catch (error) {
    if (!(await exists(dir))) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return dir;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
