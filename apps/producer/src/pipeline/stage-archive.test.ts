import assert from 'node:assert/strict';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { inspectArchive, type Archive } from '@genesys-kafka/archive';
import { INLINE_STAGER, MemoryLane, newSource, sourceOptions } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { spoolDir } from '../../fixtures/spool-dir.ts';
import { zipOf, type ZipEntry } from '../../fixtures/zip.ts';
import { publishArchive } from './publish-archive.ts';
import { SourcePublisher } from './source-publisher.ts';
import { Stages } from './stages.ts';

const never = new AbortController().signal;
const LIMITS = { maxRatio: 10_000, maxBytes: 1e9, maxEntries: 10 };

async function openBench() {
  const dir = await spoolDir();
  const staged: number[] = [];
  const stages = new Stages({
    stager: INLINE_STAGER,
    scan: { maxRecordBytes: 100_000, maxDepth: 20 },
    spoolDir: join(dir.path, 'spool'),
    observer: { onStaging: (bytes) => staged.push(bytes), onStaged: () => undefined },
  });
  return {
    stages,
    /** One for each archive that was staged: the bytes that it unpacks to. */
    staged,
    /** What lies in the spool directory, locks left out. */
    spooled: async () => (await readdir(join(dir.path, 'spool'))).filter((name) => !name.endsWith('.lock')),
    archive: async (data: Buffer, options: Partial<ZipEntry> = {}): Promise<Archive> => {
      const path = join(dir.path, 'a.zip');
      await writeFile(path, zipOf({ name: 'a.json', data, ...options }));
      return inspectArchive(path, LIMITS);
    },
    async [Symbol.asyncDispose]() {
      await stages[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Longer than what an archive is known by: its end is seen only by who reads it to its end. */
const TEXTS = conversations('a', 300).map((text) => text.replace('{', `{"note":"${'x'.repeat(8000)}",`));
const WHOLE = arrayOf(TEXTS);
const CUT = Buffer.concat([arrayOf(TEXTS.slice(0, 200)).subarray(0, -2), Buffer.from(',\n{"a":]]')]);

for (const [what, data, options, code] of [
  ['whose CRC-32 is another', WHOLE, { hasWrongCrc: true }, 'archive-crc-mismatch'],
  ['whose document is broken, and whose CRC-32 is another', CUT, { hasWrongCrc: true }, 'archive-crc-mismatch'],
  ['with text behind the end of its document', Buffer.concat([WHOLE, Buffer.from('[]')]), {}, 'trailing-text'],
] as const) {
  test(`an archive ${what}: nothing of it is published, and nothing is left in the spool directory`, async () => {
    await using bench = await openBench();
    const lane = new MemoryLane();
    const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions());
    const archive = await bench.archive(data, options);
    await assert.rejects(publishArchive(archive, source, bench.stages, never), { code });
    await lane.publisher.flush();
    assert.deepEqual(lane.ordinals, { data: [], dead: [] });
    assert.deepEqual(await bench.spooled(), []);
  });
}

test('a document that breaks in its midst: the records before the fault are published, then it is told', async () => {
  await using bench = await openBench();
  const lane = new MemoryLane();
  const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions());
  await assert.rejects(publishArchive(await bench.archive(CUT), source, bench.stages, never), { code: 'broken-json' });
  await lane.publisher.flush();
  assert.equal(lane.ordinals.data.length, 200);
  assert.deepEqual(await bench.spooled(), []);
});

test('publishing that is interrupted goes on from what is staged; a source that stands further back is staged anew', async () => {
  await using bench = await openBench();
  const archive = await bench.archive(WHOLE);
  const first = new MemoryLane();
  const interrupted = new SourcePublisher(
    first.publisher,
    newSource(),
    sourceOptions({ onRecords: () => interrupt() }),
  );
  const interrupt = () => {
    throw new Error('the connection broke');
  };
  await assert.rejects(publishArchive(archive, interrupted, bench.stages, never), /the connection broke/);
  for (const records of [0, 100]) {
    const lane = new MemoryLane();
    const entry = records === 0 ? newSource() : await entryAfter(records, bench.stages, archive);
    const skipped = entry.position.records;
    assert(records === 0 ? skipped === 0 : skipped > 0 && skipped < 300, `stopped at ${skipped}`);
    const source = new SourcePublisher(lane.publisher, entry, sourceOptions());
    await bench.stages.of(archive, source, never);
    assert.equal(await publishArchive(archive, source, bench.stages, never), 300);
    await source.finish('done');
    assert.equal(lane.ordinals.data.length, 300 - skipped);
  }
  // Once for the interrupted one and the next; once for each that came after its end.
  assert.equal(bench.staged.length, 3);
  assert.deepEqual(await bench.spooled(), []);
});

/** The ledger's entry of a run that was stopped after so many records. */
async function entryAfter(records: number, stages: Stages, archive: Archive) {
  const lane = new MemoryLane({ stepBytes: 200_000 });
  const stop = new Error('stopped');
  const options = sourceOptions({
    onRecords: () => {
      if (source.entry.position.records >= records) throw stop;
    },
  });
  const source: SourcePublisher = new SourcePublisher(lane.publisher, newSource(), options);
  await assert.rejects(publishArchive(archive, source, stages, never), stop);
  await stages.release(source.id);
  await lane.publisher.flush();
  return lane.entry!;
}

test('a disk that is full while an archive is staged ends the run, and the file is gone', async () => {
  await using bench = await openBench();
  const archive = await bench.archive(WHOLE);
  const lane = new MemoryLane();
  const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions());
  await using some = await open(process.execPath);
  const handles = Object.getPrototypeOf(some) as { write: () => Promise<unknown> };
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  const writes = mock.method(handles, 'write', async () => Promise.reject(full));
  try {
    await assert.rejects(publishArchive(archive, source, bench.stages, never), { code: 'spool-full', scope: 'run' });
  } finally {
    writes.mock.restore();
  }
  assert.deepEqual(await bench.spooled(), []);
  assert.equal(await publishArchive(archive, source, bench.stages, never), 300);
});
