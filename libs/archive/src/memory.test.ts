import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { buildZip } from '../fixtures/build-zip.ts';
import { scratch } from '../fixtures/scratch.ts';

const READER = fileURLToPath(new URL('../fixtures/read-archive.ts', import.meta.url));
const RECORD = Array.from({ length: 4000 }, (_, n) => `{"conversationId":"${(n * 7919) ** 3}","n":${n}}`).join(',');

/** Deflate data flushed to a byte boundary can be repeated: a big archive in no time. */
function zipOf(megabytes: number): { zip: Buffer; bytes: number } {
  const piece = Buffer.from(`${RECORD},`);
  const times = Math.ceil((megabytes * 1e6) / piece.length);
  const flushed = deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH });
  const head = deflateRawSync('[', { finishFlush: constants.Z_FULL_FLUSH });
  const data = Buffer.concat([head, ...Array<Buffer>(times).fill(flushed), deflateRawSync('1]')]);
  let checksum = crc32('[');
  for (let index = 0; index < times; index += 1) checksum = crc32(piece, checksum);
  const bytes = piece.length * times + 3;
  return { zip: buildZip([{ name: 'big.json', data, uncompressedBytes: bytes, crc32: crc32('1]', checksum) }]), bytes };
}

async function peakOf(path: string): Promise<{ bytes: number; peakKiB: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [READER, path]);
  return JSON.parse(stdout) as { bytes: number; peakKiB: number };
}

test('reading takes the same memory for 50 MB and 400 MB of JSON, in a ZIP and in gzip', async (t) => {
  await using dir = await scratch();
  const peaks: Record<string, number[]> = { zip: [], gzip: [] };
  for (const megabytes of [50, 400]) {
    const { zip, bytes } = zipOf(megabytes);
    const zipped = await peakOf(await dir.write('big.zip', zip));
    assert.equal(zipped.bytes, bytes);
    peaks.zip!.push(zipped.peakKiB);
    // Members may follow each other, so that one repeated is a big file in no time too.
    const member = gzipSync(`[${RECORD}]\n`);
    const gzip = await dir.write('big.gz', Buffer.concat(Array<Buffer>(Math.ceil(bytes / RECORD.length)).fill(member)));
    peaks.gzip!.push((await peakOf(gzip)).peakKiB);
  }
  t.diagnostic(`peak KiB: ${JSON.stringify(peaks)}`);
  for (const [kind, [small, large]] of Object.entries(peaks)) {
    // Of 350 MB more. How much garbage lies about goes by how busy the machine is.
    assert.ok(large! - small! < 100_000, `${kind}: ${small} KiB at 50 MB, ${large} KiB at 400 MB`);
  }
});
