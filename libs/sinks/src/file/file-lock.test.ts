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
    for (let left = 12_000; clock.sleeping === 0 && left > 0; left -= 1) await setTimeout(5);
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

test('of two locks of one process on a file the second is refused, also while it is paused, until the first is let go', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'file-lock-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'records.ndjson');
  const first = await FileLock.acquire(file, new ManualClock());
  // Its clock stands still, so that nothing touches the file; the other one's goes on.
  const clock = new ManualClock();
  for (let waits = 0; waits < 4; waits += 1) {
    await assert.rejects(FileLock.acquire(file, clock), {
      code: 'sink-file-locked',
      message: /another sink of this process/,
    });
    await clock.advance(60_000);
  }
  assert.ok(await first.isOurs());
  await first.release();
  await writeFile(`${file}.lock`, JSON.stringify({ host: 'elsewhere', pid: 7, nonce: 'x' }));
  const elsewhere = { message: /is being written by process 7 on elsewhere\./ };
  await assert.rejects(FileLock.acquire(file, clock), elsewhere);
  await assert.rejects(FileLock.acquire(file, clock), elsewhere, 'what is refused is not held');
  await writeFile(`${file}.lock`, 'cut sho');
  await assert.rejects(FileLock.acquire(file, clock), { message: /by a process without a name/ });
  await rm(`${file}.lock`);
  const last = await FileLock.acquire(file, clock);
  assert.deepEqual(await readdir(directory), ['records.ndjson.lock']);
  await last.release();
  assert.deepEqual(await readdir(directory), []);
  assert.equal(clock.sleeping, 0);
});
