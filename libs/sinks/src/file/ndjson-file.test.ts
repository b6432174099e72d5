import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { checkNdjson, openNdjson, rotateNdjson } from './ndjson-file.ts';

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ndjson-file-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Counts what is synced: data of files, and whole files or directories. */
async function watchSyncs(t: TestContext, directory: string) {
  await using some = await open(directory);
  const handles = Object.getPrototypeOf(some) as { sync: () => Promise<void>; datasync: () => Promise<void> };
  const [sync, datasync] = [t.mock.method(handles, 'sync'), t.mock.method(handles, 'datasync')];
  return { sync: sync.mock, datasync: datasync.mock };
}

test('a new file is there for good before anything is in it, as is what a repair has made of an old one, and a new name', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'a.ndjson');
  const { sync, datasync } = await watchSyncs(t, directory);
  await (await openNdjson(path)).close();
  assert.deepEqual([sync.callCount(), datasync.callCount()], [1, 1]);
  await writeFile(path, '{"a":1}\n{"b"');
  await (await openNdjson(path)).close();
  assert.deepEqual([sync.callCount(), datasync.callCount()], [2, 2]);
  await rotateNdjson(path, 0);
  assert.equal(sync.callCount(), 3);
});

test('a file system that cannot sync a directory is taken as it is; a disk that fails is not', async (t) => {
  const directory = await scratch(t);
  const { sync } = await watchSyncs(t, directory);
  for (const [code, isFine] of [
    ['EINVAL', true],
    ['EPERM', true],
    ['ENOTSUP', true],
    ['EIO', false],
  ] as const) {
    sync.mockImplementationOnce(async () => Promise.reject(Object.assign(new Error('the disk'), { code })));
    const opening = openNdjson(join(directory, `${code}.ndjson`));
    if (isFine) await (await opening).close();
    else await assert.rejects(opening, { code });
  }
});

test('whoever may not look at records cannot read a new file; what is no file of records is not opened, and let go', async (t) => {
  const directory = await scratch(t);
  await (await openNdjson(join(directory, 'new'))).close();
  assert.equal((await stat(join(directory, 'new'))).mode & 0o007, 0);
  const [device, other] = [join(directory, 'device'), join(directory, 'other')];
  await symlink('/dev/null', device);
  await writeFile(other, 'root:x:0:0');
  // Of somebody else too, who would miss its last line.
  const document = join(directory, 'document');
  const lines = JSON.stringify({ name: 'x', words: [] }, null, 2);
  await writeFile(document, lines);
  const long = join(directory, 'long');
  await writeFile(long, `{"x":"${'x'.repeat(200_000)}\n{}\n`);
  for (const [path, why] of [
    [device, /device is not a regular file\. .*`path`/],
    [other, /other holds something else than records/],
    [document, /document holds something else than records/],
    [long, /long holds something else than records/],
  ] as const) {
    await assert.rejects(openNdjson(path), { code: 'sink-file-unusable', message: why });
    await assert.rejects(checkNdjson(path), { code: 'sink-file-unusable', message: why });
  }
  await assert.rejects(checkNdjson(directory), { code: 'sink-file-unusable', message: /not a regular file/ });
  assert.equal(await readFile(other, 'utf8'), 'root:x:0:0');
  assert.equal(await readFile(document, 'utf8'), lines);
  if (process.platform !== 'linux') return;
  const descriptors = await readdir('/proc/self/fd');
  const held = await Promise.all(descriptors.map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  assert.deepEqual(
    held.filter((name) => name.startsWith(directory)),
    [],
  );
});

test('a check makes the directory and no file, takes an empty file and one of records, and leaves them as they are', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'not', 'there', 'a.ndjson');
  await checkNdjson(path);
  assert.deepEqual(await readdir(join(path, '..')), []);
  for (const content of ['', '{"a":1}\n{"b"']) {
    await writeFile(path, content);
    await checkNdjson(path);
    assert.equal(await readFile(path, 'utf8'), content);
  }
  // A part of the path that is a file.
  await assert.rejects(checkNdjson(join(path, 'below')), { code: /^(ENOTDIR|EEXIST)$/ });
  await assert.rejects(checkNdjson(join(directory, 'x'.repeat(300))), { code: 'ENAMETOOLONG' });
});

test('a check says what may not be written, the directory or the file', async (t) => {
  const directory = await scratch(t);
  const paths = ['closed/new', 'open/read-only', 'open/new'].map((path) => join(directory, path));
  await chmod(directory, 0o755);
  for (const name of ['closed', 'open']) await mkdir(join(directory, name));
  await writeFile(paths[1]!, '{"a":1}\n');
  await chmod(paths[1]!, 0o444);
  await chmod(join(directory, 'open'), 0o777);
  await chmod(join(directory, 'closed'), 0o555);
  // Rights are nothing to root.
  const script = `
    const { createFileSink } = await import(${JSON.stringify(new URL('./file-sink.ts', import.meta.url).href)});
    if (process.getuid() === 0) process.setuid(65534);
    const told = [];
    for (const path of ${JSON.stringify(paths)})
      await createFileSink({ path }).check(new AbortController().signal)
        .then(() => told.push('ok'), ({ code, message }) => told.push(code + ': ' + message));
    console.log(JSON.stringify(told));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const told = JSON.parse(stdout) as string[];
  assert.deepEqual(
    told.map((one) => one.replace(/\. .*/, '')),
    [0, 1].map((n) => `sink-file-unusable: ${paths[n]} cannot be written (EACCES)`).concat('ok'),
  );
});

test('law: of what a crash has left, whole lines stay, a whole record gets its end, and anything else goes', async (t) => {
  const path = join(await scratch(t), 'a.ndjson');
  // Read in pieces of 64 KiB from the end.
  const length = fc.constantFrom(0, 1, 65_520, 65_530, 131_060, 200_000);
  const record = fc.tuple(length, fc.nat({ max: 20 })).map(([some, more]) => `{"x":"${'x'.repeat(some + more)}"}`);
  const left = fc.record({ before: fc.array(record, { maxLength: 2 }), last: record, cut: fc.nat({ max: 250_000 }) });
  await fc.assert(
    fc.asyncProperty(left, async ({ before, last, cut }) => {
      const lines = before.map((line) => `${line}\n`).join('');
      const rest = last.slice(0, cut);
      // Of an empty file nothing is known but that it is one.
      await writeFile(path, lines + rest);
      await (await openNdjson(path)).close();
      const kept = rest === last ? `${rest}\n` : '';
      assert.ok((await readFile(path, 'utf8')) === lines + kept, `${lines.length} + ${rest.length} of ${last.length}`);
    }),
    { numRuns: 60 },
  );
});

test('files that are put aside in the same moment have names of their own', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'a.ndjson');
  for (const content of ['1', '2', '3']) {
    await writeFile(path, content);
    await rotateNdjson(path, Date.parse('2026-01-31T08:09:10.011Z'));
  }
  const aside = 'a.ndjson.20260131T080910.011Z';
  assert.deepEqual((await readdir(directory)).toSorted(), [aside, `${aside}.1`, `${aside}.2`]);
  assert.equal(await readFile(join(directory, `${aside}.2`), 'utf8'), '3');
});
