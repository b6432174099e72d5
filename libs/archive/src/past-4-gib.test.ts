import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '@genesys-kafka/resilience';
import { Agent } from 'undici';
import { buildZip, writeSparseZip, type EntryPlan } from '../fixtures/build-zip.ts';
import { fileServer } from '../fixtures/file-server.ts';
import { collect, scratch } from '../fixtures/scratch.ts';
import { fetchOnce } from './download/attempt.ts';
import { LinkRules } from './download/link-rules.ts';
import { NOTHING, type Progress } from './download/response.ts';
import { SpoolFile } from './download/spool-file.ts';
import { inspectArchive } from './index.ts';
import { readExactly } from './read-exactly.ts';

const FOUR_GIB = 2 ** 32;
const LIMITS = { maxRatio: 1e9, maxBytes: 2 ** 40, maxEntries: 10 };
const TEXT = '[{"conversationId":"a"},{"conversationId":"b"}]';
const json = (plan: Partial<EntryPlan> = {}): EntryPlan => ({ name: 'a.json', content: TEXT, ...plan });

test('an entry that begins behind 4 GiB is read, and its content is the same source as in a small archive', async () => {
  await using dir = await scratch();
  const size = FOUR_GIB + 5;
  // An entry that is not ours: its content is never read.
  const before: EntryPlan = { name: 'a.bin', method: 0, zip64: true, content: '', uncompressedBytes: size };
  const hole = { hole: { at: 0, bytes: size } };
  const { identity } = await inspectArchive(await dir.write('small.zip', buildZip([json()])), LIMITS);
  for (const descriptor of [undefined, { signed: true, wide: true }, { signed: false, wide: false }]) {
    const entry = json({ zip64: true, ...(descriptor ? { descriptor } : {}) });
    const path = await writeSparseZip(`${dir.dir}/large.zip`, [{ ...before, ...hole }, entry], { zip64: {} });
    const archive = await inspectArchive(path, LIMITS);
    assert.equal(String(await collect(archive.open())), TEXT);
    assert.equal(archive.identity, identity);
    assert.ok(archive.compressedBytes > FOUR_GIB);
  }
});

test('an entry that is longer than 4 GiB is read to its last byte, and known by its whole length', async () => {
  await using dir = await scratch();
  const head = '[{"conversationId":"a","n":"';
  const tail = '"},{"conversationId":"b"}]';
  const bytes = FOUR_GIB + head.length + tail.length;
  const entry = json({
    content: head + tail,
    method: 0,
    hole: { at: head.length, bytes: FOUR_GIB },
    uncompressedBytes: bytes,
    crc32: 0x466d9254,
    zip64: true,
  });
  const path = await writeSparseZip(`${dir.dir}/long.zip`, [entry], { zip64: {} });
  let seen = 0;
  let last: Buffer = Buffer.alloc(0);
  const archive = await inspectArchive(path, LIMITS);
  for await (const chunk of archive.open()) {
    seen += chunk.length;
    last = chunk;
  }
  assert.deepEqual([seen, archive.uncompressedBytes], [bytes, bytes]);
  assert.ok(last.subarray(-tail.length).equals(Buffer.from(tail)));
  assert.match(archive.identity, new RegExp(`^content-${bytes}-466d9254-`));
});

test('sizes that are equal only modulo 4 GiB are refused, wherever they stand', async () => {
  await using dir = await scratch();
  const off = TEXT.length + FOUR_GIB;
  const cases: readonly (readonly [code: string, entry: EntryPlan])[] = [
    ['archive-size-mismatch', json({ zip64: true, uncompressedBytes: off })],
    ['archive-corrupt', json({ zip64: true, method: 0, uncompressedBytes: off })],
    ['archive-ambiguous', json({ zip64: true, local: { uncompressedBytes: off } })],
    // The descriptor's 32 bits cannot hold what the directory says.
    ['archive-ambiguous', json({ zip64: true, uncompressedBytes: off, descriptor: { signed: true, wide: false } })],
  ];
  for (const [code, entry] of cases) {
    const path = await dir.write('off.zip', buildZip([entry], { zip64: {} }));
    await assert.rejects(inspectArchive(path, LIMITS), { code }, JSON.stringify(entry));
  }
});

test('a download that broke off behind 4 GiB goes on there, and its bytes land behind those on the disk', async () => {
  await using dir = await scratch();
  const received = FOUR_GIB + 5;
  const file = await SpoolFile.create(dir.dir);
  await file.write(Buffer.from('before'), received - 6);
  await using server = await fileServer((_request, response) => {
    const range = `bytes ${received}-${received + 4}/${received + 5}`;
    response.writeHead(206, { etag: '"one"', 'content-length': '5', 'content-range': range }).end('after');
  });
  const progress: Progress = {
    ...NOTHING,
    received,
    total: received + 5,
    validators: { etag: '"one"', lastModified: undefined },
  };
  const dispatcher = new Agent();
  try {
    const outcome = await fetchOnce(new URL(server.origin), progress, {
      rules: new LinkRules({ allowedHosts: [server.host], allowInsecureHttp: false }),
      dispatcher,
      file,
      clock: systemClock,
      maxBytes: 2 ** 40,
      idleTimeoutMs: 60_000,
      minBytesPerSecond: 0,
      onRestart: async () => assert.fail('it begins anew'),
    });
    assert.equal(outcome.kind, 'complete');
    assert.equal(server.requests[0]!.headers.range, `bytes=${received}-`);
    assert.equal(progress.received, received + 5);
    await using written = await open(file.path);
    assert.equal((await written.stat()).size, received + 5);
    assert.equal(String(await readExactly(written, received - 6, 11)), 'beforeafter');
  } finally {
    await dispatcher.destroy();
    await file.remove();
  }
});
