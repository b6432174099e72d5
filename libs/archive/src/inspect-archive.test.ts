import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { appendFile, utimes, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import yazl from 'yazl';
import { buildZip, type EntryPlan, type ZipPlan } from '../fixtures/build-zip.ts';
import { collect, scratch } from '../fixtures/scratch.ts';
import { ArchiveError, inspectArchive } from './index.ts';

const LIMITS = { maxRatio: 200, maxBytes: 50_000_000, maxEntries: 100 };
const MAX = 0xffffffff;
const IDENTITY = /^content-\d+-[0-9a-f]{8}-[0-9a-f]{64}$/;
const JSON_TEXT = `[${Array.from({ length: 50 }, (_, index) => `{"conversationId":"${index}"}`).join(',')}]`;
const json = (plan: Partial<EntryPlan> = {}): EntryPlan => ({
  name: 'conversations.json',
  content: JSON_TEXT,
  ...plan,
});

async function inspectBytes(
  bytes: Buffer | string,
  limits = LIMITS,
): Promise<{ kind: string; content: string; identity: string }> {
  await using dir = await scratch();
  const path = await dir.write('file.bin', bytes);
  const archive = await inspectArchive(path, limits);
  assert.equal(archive.compressedBytes, Buffer.byteLength(bytes));
  const content = await collect(archive.open());
  assert.equal(content.length, archive.uncompressedBytes);
  // It may be read again.
  assert.deepEqual(await collect(archive.open()), content);
  return { kind: archive.kind, identity: archive.identity, content: content.toString() };
}

async function failureOf(bytes: Buffer | string, limits = LIMITS): Promise<ArchiveError> {
  try {
    await inspectBytes(bytes, limits);
  } catch (error) {
    assert.ok(error instanceof ArchiveError, String(error));
    assert.equal(error.scope, 'source');
    assert.equal(error.retry, false);
    return error;
  }
  throw new assert.AssertionError({ message: 'was accepted' });
}

test('reads a ZIP of every shape that honest writers produce', async () => {
  const zips: Record<string, Buffer> = {
    deflate: buildZip([json()]),
    stored: buildZip([json({ method: 0 })]),
    comment: buildZip([json()], { comment: 'made by hand' }),
    'zip64 fields': buildZip([json({ zip64: true })], { zip64: {} }),
    'zip64 end record with small fields': buildZip([json()], { zip64: { smallCount: 1 } }),
    'directories and resource forks': buildZip([
      { name: 'export/', content: '', method: 0 },
      json({ name: 'export/Conversations.JSON' }),
      { name: '__MACOSX/export/._conversations.json', content: 'fork' },
      { name: 'export/._x.json', content: 'fork' },
      { name: 'README.txt', content: 'hello' },
    ]),
    'name that would be a path': buildZip([json({ name: '../../etc/x.json' })]),
    'NDJSON inside': buildZip([json({ name: 'a.ndjson' })]),
  };
  for (const signed of [true, false]) {
    for (const wide of [true, false]) {
      zips[`descriptor signed=${signed} wide=${wide}`] = buildZip([
        { name: 'a.txt', content: 'x', descriptor: { signed, wide } },
        json({ descriptor: { signed, wide } }),
      ]);
    }
  }
  const bit3 = { flags: 0x808 };
  zips['streamed, sizes unknown as FFFFFFFF'] = buildZip([
    json({ descriptor: { signed: true, wide: false }, local: { compressedBytes: MAX, uncompressedBytes: MAX } }),
  ]);
  zips['nothing to describe, and no descriptor'] = buildZip([
    { name: 'export/', content: '', method: 0, ...bit3 },
    { name: 'empty.txt', content: '', ...bit3, local: { compressedBytes: 0 } },
    json({ descriptor: { signed: true, wide: false } }),
  ]);
  for (const [name, zip] of Object.entries(zips)) {
    const { kind, content, identity } = await inspectBytes(zip);
    assert.deepEqual([kind, content], ['zip', JSON_TEXT], name);
    assert.match(identity, IDENTITY);
  }
});

test('reads what yazl streams: sizes unknown in the local header, a descriptor after the data', async () => {
  await using dir = await scratch();
  const zip = new yazl.ZipFile();
  zip.addReadStream(Readable.from([JSON_TEXT]), 'conversations.json');
  zip.end();
  const path = `${dir.dir}/streamed.zip`;
  await pipeline(zip.outputStream, createWriteStream(path));
  assert.equal((await collect((await inspectArchive(path, LIMITS)).open())).toString(), JSON_TEXT);
});

test('counts more entries than 16 bits hold, where the limit allows them', async () => {
  await using dir = await scratch();
  const others = Array.from({ length: 66_000 }, (_, index) => ({ name: `${index}.txt`, content: 'x', method: 0 }));
  const path = await dir.write('many.zip', buildZip([...others, json()], { zip64: {} }));
  const archive = await inspectArchive(path, { ...LIMITS, maxEntries: 100_000 });
  assert.equal((await collect(archive.open())).toString(), JSON_TEXT);
  await assert.rejects(inspectArchive(path, LIMITS), { code: 'archive-too-many-entries' });
});

test('archive-directory-too-large: a directory of long comments is not read into memory', async () => {
  const comment = Buffer.alloc(65_000, 'c');
  const many = Array.from({ length: 140 }, (_, index) => ({ name: `${index}.txt`, comment }));
  const error = await failureOf(buildZip([...many, json()]), { ...LIMITS, maxEntries: 10_000 });
  assert.equal(error.code, 'archive-directory-too-large');
});

test('reads gzip, of several members too, and plain JSON and NDJSON', async () => {
  const members = Buffer.concat([gzipSync(JSON_TEXT.slice(0, 100)), gzipSync(JSON_TEXT.slice(100))]);
  for (const bytes of [gzipSync(JSON_TEXT), members]) {
    const { kind, content, identity } = await inspectBytes(bytes);
    assert.deepEqual([kind, content], ['gzip', JSON_TEXT]);
    assert.match(identity, IDENTITY);
  }
  for (const text of [JSON_TEXT, '\ufeff \n[]', '{"a":1}\n{"a":2}\n', `${' '.repeat(10_000)}[1]`]) {
    const { kind, content } = await inspectBytes(text);
    assert.deepEqual([kind, content], ['plain', text]);
  }
});

test('one content has one identity, whatever it is packed in, and another one has another', async () => {
  const large = `["${randomBytes(1_000_000).toString('hex')}",1]`;
  for (const text of [JSON_TEXT, large]) {
    const packed: Record<string, Buffer | string> = {
      plain: text,
      gzip: gzipSync(text),
      'gzip, another level': gzipSync(text, { level: 1 }),
      'gzip, another time and system': retimed(gzipSync(text)),
      'gzip of two members': Buffer.concat([gzipSync(text.slice(0, 1000)), gzipSync(text.slice(1000))]),
      zip: buildZip([json({ content: text })]),
      'zip, another level, name and comment': buildZip(
        [json({ name: 'b.json', content: text, data: deflateRawSync(text, { level: 1 }) })],
        { comment: 'x' },
      ),
      'zip, stored, a README beside': buildZip([{ name: 'README.md' }, json({ content: text, method: 0 })]),
    };
    const identities = new Set<string>();
    for (const bytes of Object.values(packed)) identities.add((await inspectBytes(bytes)).identity);
    assert.equal(identities.size, 1);
    const other = await inspectBytes(text.replace(/.\]$/, '9]'));
    assert.ok(!identities.has(other.identity));
  }
});

/** Other time and system in the head of a gzip member. */
function retimed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(1_700_000_000, 4);
  bytes.writeUInt8(11, 9);
  return bytes;
}

/** Each corrupt file stands under the code of the error that it must raise. */
const deflated = deflateRawSync(JSON_TEXT);
const flipped = Buffer.from(JSON_TEXT.replace('"7"', '"8"'));
const random = randomBytes(3000).toString('hex');
const twoZips = (plan: Partial<EntryPlan>, zip: ZipPlan = {}) =>
  buildZip([{ name: 'a.txt', content: 'x' }, json(plan)], zip);
const CORRUPT: readonly (readonly [
  code: ArchiveError['code'],
  what: string,
  bytes: Buffer | string,
  message?: RegExp,
])[] = [
  ['archive-empty', 'file', ''],
  ['archive-empty', 'ZIP', buildZip([])],
  ['archive-empty', 'entry', buildZip([json({ content: '', method: 0 })])],
  ['archive-empty', 'gzip', gzipSync('')],
  ['not-an-archive', 'HTML', '\n<!DOCTYPE html><html><body>secret body', /looks like HTML/],
  ['not-an-archive', 'XML', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /looks like XML/],
  ['not-an-archive', 'HTML in a ZIP', buildZip([json({ content: '<html>secret body</html>' })]), /looks like HTML/],
  ['not-an-archive', 'HTML in gzip', gzipSync('<html>'), /looks like HTML/],
  ['not-an-archive', 'text', 'secret body', /looks like text/],
  ['not-an-archive', 'UTF-16', Buffer.from('\ufeff[1]', 'utf16le'), /UTF-16/],
  ['not-an-archive', 'UTF-16 without a mark', Buffer.from('[1]', 'utf16le'), /UTF-16/],
  ['not-an-archive', '7z', Buffer.from('7z\xbc\xaf\x27\x1crest', 'latin1'), /7z/],
  ['not-an-archive', 'junk before a ZIP', buildZip([json()], { prefix: Buffer.from('junk') })],
  ['archive-nested', 'ZIP in a ZIP', buildZip([{ name: 'inner.zip', content: buildZip([json()]) }])],
  ['archive-nested', 'ZIP named .json', buildZip([json({ content: buildZip([json()]) })])],
  ['archive-nested', 'gzip in gzip', gzipSync(gzipSync('[]'))],
  ['archive-unsupported', 'method', buildZip([json({ method: 9 })]), /method 9/],
  ['archive-unsupported', 'method zstd', buildZip([json({ method: 93 })])],
  ['archive-unsupported', 'multi-disk', buildZip([json()], { disk: 1 })],
  ['archive-unsupported', 'multi-disk ZIP64', buildZip([json()], { zip64: { disk: 2 } })],
  ['archive-unsupported', 'symbolic link', buildZip([json({ externalAttributes: 0xa1ff0000 })])],
  ['archive-encrypted', 'ZipCrypto', buildZip([json({ flags: 0x801 })])],
  ['archive-encrypted', 'strong', buildZip([json({ flags: 0x841 })])],
  ['archive-encrypted', 'AES', buildZip([json({ flags: 0x801, method: 99 })])],
  [
    'archive-no-json',
    'other files',
    buildZip([{ name: 'a.txt' }, { name: 'b\u202e\x1b[31m.csv' }]),
    /"a.txt", "b\\u202e\\u001b\[31m.csv"/,
  ],
  ['archive-no-json', 'directories', buildZip([{ name: 'a/', content: '', method: 0 }]), /directories only/],
  [
    'archive-ambiguous-entries',
    'two',
    buildZip([json({ name: 'a.json' }), json({ name: 'b.jsonl' })]),
    /"a.json", "b.jsonl"/,
  ],
  ['archive-truncated', 'in the data', buildZip([json()]).subarray(0, 120)],
  ['archive-truncated', 'in the end record', buildZip([json()]).subarray(0, -1)],
  ['archive-truncated', 'in the comment', buildZip([json()], { comment: 'a comment' }).subarray(0, -3)],
  ['archive-truncated', 'gzip', gzipSync(JSON_TEXT).subarray(0, -12)],
  ['archive-truncated', 'deflate data', buildZip([json({ data: deflated.subarray(0, -5) })])],
  ['archive-trailing-data', 'ZIP', buildZip([json()], { suffix: Buffer.from('junk') }), /4 bytes after its end/],
  ['archive-trailing-data', 'gzip', Buffer.concat([gzipSync(JSON_TEXT), Buffer.from('junk')])],
  ['archive-trailing-data', 'gzip, zeros', Buffer.concat([gzipSync(JSON_TEXT), Buffer.alloc(600)])],
  ['archive-corrupt', 'deflate error', buildZip([json({ data: Buffer.alloc(100, 0xff) })])],
  [
    'archive-corrupt',
    'data after deflate ended',
    buildZip([json({ data: Buffer.concat([deflated, Buffer.from('xx')]) })]),
  ],
  [
    'archive-corrupt',
    'junk before the first entry',
    Buffer.concat([
      buildZip([{ name: 'x', content: 'x' }]).subarray(0, 0),
      buildZip([json()], { prefix: Buffer.from('PK\x03\x04') }),
    ]),
  ],
  ['archive-corrupt', 'directory size too small', buildZip([json()], { directoryBytes: 10 })],
  ['archive-corrupt', 'directory size too large', buildZip([json()], { directoryBytes: 100_000 })],
  ['archive-corrupt', 'fewer entries than the directory', twoZips({}, { entryCount: 1 })],
  ['archive-corrupt', 'more entries than the directory', twoZips({}, { entryCount: 3 })],
  ['archive-corrupt', 'local header elsewhere', twoZips({ localOffset: 5 })],
  ['archive-corrupt', 'local header past the end', twoZips({ localOffset: 5_000_000 })],
  ['archive-corrupt', 'stored sizes differ', buildZip([json({ method: 0, uncompressedBytes: 10 })])],
  ['archive-ambiguous', 'ZIP64 contradiction', buildZip([json()], { zip64: { smallCount: 7 } })],
  ['archive-ambiguous', 'name', buildZip([json({ local: { name: 'conversationz.json' } })]), /another name/],
  ['archive-ambiguous', 'method', buildZip([json({ local: { method: 0 } })]), /another compression method/],
  ['archive-ambiguous', 'flags', buildZip([json({ local: { flags: 0x801 } })]), /another set of flags/],
  ['archive-ambiguous', 'CRC-32', buildZip([json({ local: { crc32: 1 } })]), /another CRC-32/],
  ['archive-ambiguous', 'compressed size', buildZip([json({ local: { compressedBytes: 1 } })])],
  ['archive-ambiguous', 'size', buildZip([json({ local: { uncompressedBytes: 1 } })])],
  [
    'archive-ambiguous',
    'size, ZIP64',
    buildZip([json({ zip64: true, local: { uncompressedBytes: 1 } })], { zip64: {} }),
  ],
  [
    'archive-ambiguous',
    'descriptor',
    buildZip([json({ descriptor: { signed: true, wide: false, crc32: 5 } })]),
    /data descriptor/,
  ],
  ['archive-ambiguous', 'bit 3 and no descriptor', buildZip([json({ flags: 0x808 })]), /data descriptor/],
  [
    'archive-ambiguous',
    'a CRC-32 of nothing',
    buildZip([json(), { name: 'empty.txt', content: '', method: 0, flags: 0x808, crc32: 5 }]),
    /data descriptor/,
  ],
  ['archive-ambiguous', 'sizes of FFFFFFFF, no bit 3', buildZip([json({ local: { uncompressedBytes: MAX } })])],
  ['archive-ambiguous', 'same name twice', buildZip([json(), json()])],
  ['archive-ambiguous', 'an entry that quotes another', quoting(), /overlap/],
  ['archive-ambiguous', 'two entries of one header', buildZip([json(), json({ name: 'b.txt', localOffset: 0 })])],
  ['archive-size-mismatch', 'more than declared', buildZip([json({ uncompressedBytes: JSON_TEXT.length - 1 })])],
  ['archive-size-mismatch', 'less than declared', buildZip([json({ uncompressedBytes: JSON_TEXT.length + 1 })])],
  ['archive-crc-mismatch', 'deflate', buildZip([json({ data: deflateRawSync(flipped) })]), /CRC-32/],
  ['archive-crc-mismatch', 'stored', buildZip([json({ method: 0, data: flipped })])],
  ['archive-crc-mismatch', 'gzip', corruptByte(gzipSync(JSON_TEXT), -8)],
  ['archive-corrupt', 'gzip length', corruptByte(gzipSync(JSON_TEXT), -4)],
  ['archive-bomb', 'deflate', buildZip([json({ content: Buffer.alloc(5_000_000, 0x20) })]), /limit is 200/],
  ['archive-bomb', 'an ignored entry', buildZip([json(), { name: 'zeros.bin', content: Buffer.alloc(5_000_000) }])],
  ['archive-bomb', 'declared', buildZip([json({ uncompressedBytes: 10_000_000 })])],
  ['archive-bomb', 'gzip', gzipSync(`[${' '.repeat(5_000_000)}]`)],
  [
    'archive-too-large',
    'ZIP',
    buildZip([json({ content: random, uncompressedBytes: 60_000_000, zip64: true })], { zip64: {} }),
  ],
];

/** The classic bomb without recursion: a stored entry whose data are the next entry, header and all. */
function quoting(): Buffer {
  const inner = buildZip([json()]);
  const quoted = inner.subarray(0, inner.indexOf('PK\x01\x02'));
  return buildZip([{ name: 'a.bin', content: quoted, method: 0 }, json({ localOffset: 30 + 'a.bin'.length })]);
}

function corruptByte(bytes: Buffer, at: number): Buffer {
  const index = bytes.length + at;
  bytes[index] = bytes[index]! ^ 1;
  return bytes;
}

for (const [code, what, bytes, message] of CORRUPT) {
  test(`${code}: ${what}`, async () => {
    const error = await failureOf(bytes);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message ?? /file\.bin/);
    // Says where, prints on any terminal, and shows nothing of the content.
    assert.match(error.message, /file\.bin/);
    assert.doesNotMatch(error.message, /[^\x20-\x7e]|secret body/);
  });
}

test('archive-too-large: gzip and plain files', async () => {
  const limits = { ...LIMITS, maxBytes: 1000 };
  assert.equal((await failureOf(JSON_TEXT, limits)).code, 'archive-too-large');
  assert.equal((await failureOf(gzipSync(JSON_TEXT), limits)).code, 'archive-too-large');
});

test('archive-missing: no such file, a directory, a component that is a file', async () => {
  await using dir = await scratch();
  const path = await dir.write('a.json', '[]');
  for (const missing of [`${dir.dir}/none.zip`, dir.dir, `${path}/b`]) {
    await assert.rejects(inspectArchive(missing, LIMITS), { code: 'archive-missing', message: /Check the path/ });
  }
});

test('archive-changed: the file is not the one that was verified', async () => {
  await using dir = await scratch();
  const path = await dir.write('a.json', '[1]');
  const archive = await inspectArchive(path, LIMITS);
  await appendFile(path, ' ');
  await assert.rejects(collect(archive.open()), { code: 'archive-changed' });
  await writeFile(path, '[2]');
  await assert.rejects(collect(archive.open()), { code: 'archive-changed' });
});

test('open verifies again: a change that hides its time still fails at the end', async () => {
  await using dir = await scratch();
  const path = await dir.write('a.json', '[1]');
  const time = new Date(1_700_000_000_000);
  await utimes(path, time, time);
  const archive = await inspectArchive(path, LIMITS);
  await writeFile(path, '[2]');
  await utimes(path, time, time);
  await assert.rejects(collect(archive.open()), { code: 'archive-crc-mismatch' });
});

test('an abort rejects with its reason, before, during verification and while reading', async () => {
  await using dir = await scratch();
  const path = await dir.write(
    'a.zip',
    buildZip([json({ content: randomBytes(3_000_000).toString('hex').replace(/^./, '[') })]),
  );
  const reason = new Error('stop');
  await assert.rejects(inspectArchive(path, LIMITS, { signal: AbortSignal.abort(reason) }), reason);
  const during = new AbortController();
  const inspecting = inspectArchive(path, LIMITS, { signal: during.signal });
  setImmediate(() => during.abort(reason));
  await assert.rejects(inspecting, reason);
  const reading = new AbortController();
  const archive = await inspectArchive(path, LIMITS);
  await assert.rejects(async () => {
    for await (const chunk of archive.open(reading.signal)) {
      assert.ok(chunk.length <= 256 * 1024);
      reading.abort(reason);
    }
  }, reason);
});
