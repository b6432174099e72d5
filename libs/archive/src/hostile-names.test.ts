import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { buildZip } from '../fixtures/build-zip.ts';
import { QUICK } from '../fixtures/download.ts';
import { fileServer, serve } from '../fixtures/file-server.ts';
import { collect, scratch } from '../fixtures/scratch.ts';
import { spool } from './download/spool.ts';
import { ArchiveError, inspectArchive } from './index.ts';

const TEXT = '[{"conversationId":"a"}]';
const LIMITS = { maxRatio: 200, maxBytes: 50_000_000, maxEntries: 100 };

const NAMES = {
  'climbs out': '../../../outside.json',
  'is absolute': '/tmp/outside.json',
  'has a drive': 'C:\\outside.json',
  'climbs with backslashes': '..\\..\\outside.json',
  'holds NUL': 'a\0b.json',
  'holds controls': 'a\r\nerror: forged\u001b]52;c;QQ==\u0007\u009b2J.json',
  'is reversed': 'a\u202enosj.json',
  'is __proto__': '__proto__.json',
  'is 64 kB long': `${'x'.repeat(65_530)}.json`,
};

for (const [what, name] of Object.entries(NAMES)) {
  test(`an entry whose name ${what} is read, its name is no path, and an error shows it harmless and short`, async () => {
    await using dir = await scratch();
    const zip = buildZip([{ name, content: TEXT }]);
    await using server = await fileServer(serve(zip));
    {
      await using file = await spool({
        link: async () => `${server.origin}/${encodeURIComponent(name.slice(0, 1000))}`,
        spoolDir: `${dir.dir}/spool`,
        allowedHosts: [server.host],
        allowInsecureHttp: false,
        maxBytes: 1e6,
        idleTimeoutMs: 60_000,
        minBytesPerSecond: 0,
        retry: QUICK,
      });
      const names = await readdir(`${dir.dir}/spool`);
      assert.ok(
        names.every((one) => /^genesys-spool-[0-9a-f-]+(\.alive)?$/.test(one)),
        names.join(),
      );
      assert.ok((await readFile(file.path)).equals(zip));
      const archive = await inspectArchive(file.path, LIMITS);
      assert.equal(String(await collect(archive.open())), TEXT);
    }
    assert.deepEqual(await readdir(dir.dir, { recursive: true }), ['spool']);
    // Two of them, one of them broken, and one that says one thing here and another there.
    const refused = [
      buildZip([{ name, content: TEXT }, { name: `b${name.slice(1)}` }]),
      buildZip([{ name, content: TEXT, crc32: 1 }]),
      buildZip([{ name, content: TEXT, local: { name: `c${name.slice(1)}` } }]),
      buildZip([{ name: `${name.slice(0, 65_531)}.csv`, content: TEXT }]),
    ];
    for (const bytes of refused) {
      const path = await dir.write('refused.zip', bytes);
      await assert.rejects(inspectArchive(path, LIMITS), (error) => {
        assert.ok(error instanceof ArchiveError, String(error));
        assert.doesNotMatch(error.message, /[^\x20-\x7e]/);
        assert.ok(error.message.length < 1000, `${error.message.length} characters`);
        return true;
      });
    }
  });
}
