import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RecordScanner } from '@genesys-kafka/record-parser';
import { staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { spoolDir } from '../../fixtures/spool-dir.ts';
import { StageFile } from './stage-file.ts';
import type { StagedStep } from './staged-step.ts';

async function steps(): Promise<StagedStep[]> {
  const scanner = new RecordScanner({ maxRecordBytes: 100_000, maxDepth: 20 });
  const records = scanner.push(arrayOf([...conversations('a', 40), 'null', ...conversations('b', 20)]));
  return staged([records.slice(0, 10), records.slice(10, 45), records.slice(45)], 7);
}

async function all(file: StageFile): Promise<StagedStep[]> {
  const read: StagedStep[] = [];
  for await (const { firstOrdinal, facts, batches } of file.steps()) read.push({ firstOrdinal, facts, batches });
  return read;
}

test('steps come back as they were, as often as they are asked for, and the file goes away', async () => {
  await using dir = await spoolDir();
  const written = await steps();
  {
    await using file = await StageFile.create(dir.path);
    for (const step of written) await file.append(step);
    assert.deepEqual(await all(file), written);
    assert.deepEqual(await all(file), written);
  }
  assert.deepEqual(await readdir(dir.path), []);
});

test('a step that is released has given its memory back', async () => {
  await using dir = await spoolDir();
  await using file = await StageFile.create(dir.path);
  await file.append((await steps())[1]!);
  for await (const { facts, batches, release } of file.steps()) {
    assert(facts.count > 0);
    release!();
    assert.equal(facts.bytes.length, 0);
    for (const { batch } of batches) assert.equal(batch.bytes.length, 0);
  }
});

test('a byte that the disk gives back otherwise, wherever it lies, is told, and nothing is made of it', async () => {
  await using dir = await spoolDir();
  await using file = await StageFile.create(dir.path);
  const written = await steps();
  for (const step of written) await file.append(step);
  const name = (await readdir(dir.path)).find((entry) => !entry.endsWith('.lock'))!;
  await using raw = await open(join(dir.path, name), 'r+');
  const { size } = await raw.stat();
  const byte = Buffer.alloc(1);
  for (const at of [0, 5, 13, 20, 400, Math.floor(size / 2), size - 1]) {
    await raw.read(byte, 0, 1, at);
    await raw.write(Buffer.from([byte[0]! ^ 0x40]), 0, 1, at);
    await assert.rejects(all(file), { code: 'spool-damaged' }, `byte ${at}`);
    await raw.write(byte, 0, 1, at);
  }
  assert.deepEqual(await all(file), written);
  await raw.truncate(size - 10);
  await assert.rejects(all(file), { code: 'spool-damaged' });
});
