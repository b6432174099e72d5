import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildZip } from '../fixtures/build-zip.ts';
import { QUICK } from '../fixtures/download.ts';
import { failEachOperation } from '../fixtures/failing-disk.ts';
import { fileServer, serve } from '../fixtures/file-server.ts';
import { scratch } from '../fixtures/scratch.ts';
import { spool } from './download/spool.ts';
import { ArchiveError, inspectArchive } from './index.ts';

const TEXT = `[{"conversationId":"${randomBytes(400_000).toString('hex')}"}]`;
const LIMITS = { maxRatio: 200, maxBytes: 50_000_000, maxEntries: 100 };
const SPOOLED = { idleTimeoutMs: 60_000, minBytesPerSecond: 0, maxBytes: 50_000_000, allowInsecureHttp: false };

for (const code of ['EIO', 'EDQUOT', 'ENOSPC'] as const) {
  test(`${code} at any moment of a download ends the run with an error of its own, and the spool file is gone`, async () => {
    await using dir = await scratch();
    const content = gzipSync(buildZip([{ name: 'a.json', content: TEXT }]));
    // Continued where it broke off, then begun anew, with a layer to take off: all that is done with a spool file.
    const headers = { 'content-encoding': 'gzip' };
    const operations = await failEachOperation(code, async () => {
      await using server = await fileServer(
        serve(content, { etag: '"one"', resetAfter: 100_000, headers }),
        (request, response) => {
          const range = `bytes 50000-${content.length - 1}/${content.length}`;
          response.writeHead(206, { etag: '"one"', 'content-range': range, ...headers });
          response.write(content.subarray(50_000, 150_000), () => setTimeout(() => request.socket.destroy(), 20));
        },
        serve(content, { etag: '"two"', headers }),
      );
      const link = async () => server.origin;
      try {
        await using file = await spool({
          ...SPOOLED,
          link,
          spoolDir: dir.dir,
          allowedHosts: [server.host],
          retry: QUICK,
        });
        assert.equal(file.endProven, true);
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String((error as Error).stack));
        // Where the layer is being taken off, it is the source that cannot be read.
        const expected = code === 'EIO' ? /^(spool-unwritable run|archive-unreadable source)$/ : /^spool-full run$/;
        assert.match(`${error.code} ${error.scope}`, expected);
        assert.match(error.message, new RegExp(code));
      }
      assert.deepEqual(await readdir(dir.dir), []);
    });
    assert.ok(operations > 5, String(operations));
  });
}

test('EIO at any moment of reading a source rejects that source, and what was handed over before is its beginning', async () => {
  await using dir = await scratch();
  const files = {
    zip: buildZip([{ name: 'a.json', content: TEXT }]),
    stored: buildZip([{ name: 'a.json', content: TEXT, method: 0 }]),
    gzip: gzipSync(TEXT),
    plain: Buffer.from(TEXT),
  };
  for (const [kind, bytes] of Object.entries(files)) {
    const path = await dir.write(kind, bytes);
    const operations = await failEachOperation('EIO', async () => {
      let read = '';
      try {
        const archive = await inspectArchive(path, LIMITS);
        for await (const chunk of archive.open()) read += chunk.toString();
        assert.equal(read.length, TEXT.length);
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String((error as Error).stack));
        assert.deepEqual([error.code, error.scope], ['archive-unreadable', 'source'], error.message);
        assert.match(error.message, /\(EIO\)/);
      }
      assert.ok(TEXT.startsWith(read));
    });
    assert.ok(operations >= 4, `${kind}: ${operations}`);
  }
});

test(
  'without a file descriptor left, a source is refused by name and a download ends the run; with some, both go on',
  { skip: process.platform !== 'linux' },
  async () => {
    await using dir = await scratch();
    await using server = await fileServer(serve(Buffer.from(TEXT)));
    const [path, spoolDir] = [await dir.write('a.json', TEXT), `${dir.dir}/spool`];
    const script = `
      import { closeSync, openSync } from 'node:fs';
      const { inspectArchive } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
      const { spool } = await import(${JSON.stringify(new URL('download/spool.ts', import.meta.url).href)});
      const told = [];
      const say = async (work) => {
        try { await work(); told.push('done'); }
        catch (error) { told.push([error.code, error.scope, error.message.includes('EMFILE')]); }
      };
      const read = () => inspectArchive(${JSON.stringify(path)}, ${JSON.stringify(LIMITS)});
      const options = ${JSON.stringify({ ...SPOOLED, spoolDir, allowedHosts: [server.host] })};
      const load = async () => { await using file = await spool({ ...options, link: async () => '${server.origin}' }); };
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      await say(read); await say(load);
      for (const one of taken) closeSync(one);
      await say(read); await say(load);
      console.log(JSON.stringify(told));`;
    const run = promisify(execFile);
    const shell = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"';
    const { stdout } = await run('bash', ['-c', shell, process.execPath, script]);
    assert.deepEqual(JSON.parse(stdout), [
      ['archive-unreadable', 'source', true],
      ['spool-unwritable', 'run', true],
      'done',
      'done',
    ]);
    assert.deepEqual(await readdir(spoolDir), []);
  },
);
