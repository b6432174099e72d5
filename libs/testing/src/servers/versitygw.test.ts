import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureVersitygw } from './versitygw.ts';

test('without Go, and without a storage in the environment, it says so and leaves nothing behind', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'versitygw-'));
  const { PATH } = process.env;
  process.env.PATH = root;
  context.after(async () => {
    process.env.PATH = PATH;
    await rm(root, { recursive: true, force: true });
  });
  const cacheDir = join(root, 'cache');
  const options = { cacheDir, signal: new AbortController().signal, onProgress: () => undefined };
  await assert.rejects(ensureVersitygw(options), { code: 'provider-unavailable', message: /no Go \(go\) on the path/ });
  assert.deepEqual(await readdir(cacheDir), []);
});
