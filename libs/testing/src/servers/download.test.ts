import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ProcessGroup } from '../host/process-group.ts';
import { defaultCacheDir } from './cache.ts';
import { ensureServers } from './download.ts';

/** An empty cache and a `mvn` on the path that runs `script` in the directory of the pom. */
async function setting(context: TestContext, script: string) {
  const root = await mkdtemp(join(tmpdir(), 'servers-'));
  const { PATH } = process.env;
  process.env.PATH = `${root}${delimiter}${PATH}`;
  context.after(async () => {
    process.env.PATH = PATH;
    await rm(root, { recursive: true, force: true });
  });
  await writeFile(join(root, 'mvn'), `#!/bin/sh\necho run >> ${root}/runs\n${script}\n`, { mode: 0o755 });
  const lines: string[] = [];
  const group = new ProcessGroup({ logsDir: join(root, 'logs'), onSpawn: () => undefined, onExit: () => undefined });
  const cacheDir = join(root, 'cache');
  const ensure = async () =>
    ensureServers({
      group,
      cacheDir,
      signal: new AbortController().signal,
      onProgress: (line) => lines.push(line),
    });
  const runs = async () => (await readFile(join(root, 'runs'), 'utf8')).trim().split('\n').length;
  return { cacheDir, ensure, lines, runs };
}

test('two runs at once download once, and a later one not at all', async (context) => {
  const { cacheDir, ensure, lines, runs } = await setting(context, 'sleep 0.3; mkdir kafka registry');
  const [first, second] = await Promise.all([ensure(), ensure()]);
  assert.deepEqual(first, second);
  assert.ok(lines.some((line) => line.includes('another run')));
  assert.deepEqual(await ensure(), first);
  assert.equal(await runs(), 1);
  const names = await readdir(cacheDir);
  assert.equal(names.length, 1, 'neither lock nor partial directory is left');
});

test('a failed download is tried twice, tells why, and leaves nothing behind', async (context) => {
  const { cacheDir, ensure, runs } = await setting(context, 'mkdir kafka; echo "[ERROR] no route to Central"; exit 1');
  await assert.rejects(ensure(), { code: 'provider-unavailable', message: /no route to Central/ });
  assert.equal(await runs(), 2);
  assert.deepEqual(await readdir(cacheDir), []);
});

test('the lock and the partial directory of a run that was killed are cleared away', async (context) => {
  const { cacheDir, ensure } = await setting(context, 'mkdir kafka registry');
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['.lock', '.partial-old']) {
    await mkdir(join(cacheDir, name), { recursive: true });
    await utimes(join(cacheDir, name), old, old);
  }
  await mkdir(join(cacheDir, '.partial-of-another-run'));
  await ensure();
  const names = await readdir(cacheDir);
  assert.deepEqual(
    names.filter((name) => name.startsWith('.')),
    ['.partial-of-another-run'],
  );
});

test('the cache is where the user keeps caches', () => {
  assert.equal(defaultCacheDir({ XDG_CACHE_HOME: '/x' }), '/x/genesys-kafka');
  assert.match(defaultCacheDir({}), /\.cache\/genesys-kafka$/);
});
