import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { FileLock } from './file-lock.ts';

test('a held lock is touched every 10 s, and one that was taken over is not', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'file-lock-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'records.ndjson');
  const clock = new ManualClock();
  const lock = await FileLock.acquire(file, clock);
  const touched = async () => (await stat(`${file}.lock`)).mtimeMs;
  const beat = async () => {
    await clock.advance(10_000);
    // The holder sleeps again once it has touched the file.
    for (let left = 1000; clock.sleeping === 0 && left > 0; left -= 1) await setTimeout(5);
    assert.equal(clock.sleeping, 1);
  };
  for (let beats = 0; beats < 3; beats += 1) {
    await beat();
    assert.equal(await touched(), clock.nowMs());
  }
  await writeFile(`${file}.lock`, JSON.stringify({ host: 'elsewhere', pid: 1, nonce: 'x' }));
  const before = await touched();
  await beat();
  assert.equal(await touched(), before);
  await lock.release();
  assert.equal(clock.sleeping, 0);
  assert.deepEqual(await readdir(directory), ['records.ndjson.lock'], 'it is the other one who removes it');
});
