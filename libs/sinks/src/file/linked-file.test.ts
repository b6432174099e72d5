import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { delivery } from '../../fixtures/deliveries.ts';
import { createFileSink } from './file-sink.ts';

const never = new AbortController().signal;

/** A disk, and a link to a file on it that is not there yet, over a link to its directory. */
async function setUp(t: TestContext) {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'genesys-kafka-')));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [disk, link] = [join(directory, 'disk'), join(directory, 'conversations.ndjson')];
  await mkdir(disk);
  await symlink('disk', join(directory, 'mount'));
  await symlink('mount/deep/a.ndjson', link);
  return { disk, link };
}

function sinkOf(t: TestContext, path: string, bytes?: number) {
  const sink = createFileSink({ path, rotate: { bytes } });
  t.after(async () => sink.close());
  const deliver = async (n: number) => {
    const [outcome] = await sink.deliver([delivery(n)], never);
    return outcome!.kind === 'delivered' ? 'delivered' : `${outcome!.kind} ${outcome!.failure.cause}`;
  };
  return { sink, deliver };
}

test('a link is followed: what is put aside and what is begun anew lie beside the file that it leads to', async (t) => {
  const { disk, link } = await setUp(t);
  const { sink, deliver } = sinkOf(t, link, 30);
  await sink.check(never);
  for (const n of [1, 2]) assert.equal(await deliver(n), 'delivered');
  await sink.close();
  assert.ok((await lstat(link)).isSymbolicLink());
  const [current, aside, ...more] = (await readdir(join(disk, 'deep'))).toSorted();
  assert.equal(current, 'a.ndjson');
  assert.match(aside!, /^a\.ndjson\.\d/);
  assert.deepEqual(more, []);
  assert.match(await readFile(link, 'utf8'), /c-2/);
});

test('two who write one file by different names are told apart', async (t) => {
  const { disk, link } = await setUp(t);
  const one = sinkOf(t, link);
  const other = sinkOf(t, join(disk, 'deep', 'a.ndjson'));
  assert.equal(await one.deliver(1), 'delivered');
  assert.equal(await other.deliver(2), 'misconfigured file-locked');
  await one.sink.close();
  assert.equal(await other.deliver(2), 'delivered');
});

test('a link that is led elsewhere is followed there, and the file before it is let go', async (t) => {
  const { disk, link } = await setUp(t);
  const { deliver } = sinkOf(t, link);
  assert.equal(await deliver(1), 'delivered');
  await symlink(join(disk, 'b.ndjson'), `${link}.new`);
  await rename(`${link}.new`, link);
  assert.equal(await deliver(2), 'delivered');
  assert.match(await readFile(join(disk, 'b.ndjson'), 'utf8'), /c-2/);
  assert.equal(await sinkOf(t, join(disk, 'deep', 'a.ndjson')).deliver(3), 'delivered');
  // A ring of links leads nowhere.
  await symlink('ring', join(disk, 'ring'));
  assert.equal(await sinkOf(t, join(disk, 'ring')).deliver(4), 'misconfigured file-refused');
});
