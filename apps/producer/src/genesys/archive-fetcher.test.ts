import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Logger } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { zipOf } from '../../fixtures/zip.ts';
import { SETTINGS } from '../settings.ts';
import { ArchiveFetcher } from './archive-fetcher.ts';

const log = { warn: () => undefined } as unknown as Logger;

/** Downloads and verifies `content` from a host that answers with this head and closes. */
async function verdict(head: string, content: string | Buffer): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(`${head}\r\n`, () => socket.end(content)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const spool = await mkdtemp(join(tmpdir(), 'fetcher-test-'));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const settings = loadSettings(SETTINGS, { env: { SPOOL_DIR: spool, GENESYS_FILE_HOSTS: host } });
    await using fetcher = new ArchiveFetcher(settings, log);
    await using archive = await fetcher.download(`http://${host}/x`, new AbortController().signal);
    return archive.kind;
  } catch (error) {
    assert.deepEqual(await readdir(spool), [], 'the spool file is gone');
    return (error as { code: string }).code;
  } finally {
    server.close();
    await rm(spool, { recursive: true });
  }
}

const LINES = '{"conversationId":"a"}\n{"conversationId":"b"}\n';
const ARRAY = '[{"conversationId":"a"}]';

test('an end that no length, last chunk or structure proves is no end', async () => {
  for (const head of ['HTTP/1.0 200 OK\r\n', 'HTTP/1.1 200 OK\r\nConnection: close\r\n']) {
    const unproven: [content: string | Buffer, expected: string][] = [
      [LINES, 'download-unproven'],
      [LINES.slice(0, 23), 'download-unproven'],
      [gzipSync(LINES), 'download-unproven'],
      [ARRAY.slice(0, -1), 'download-unproven'],
      [ARRAY, 'plain'],
      [`{"conversations":${ARRAY}}\n`, 'plain'],
      [gzipSync(ARRAY), 'gzip'],
      [zipOf({ name: 'a.ndjson', data: LINES }), 'zip'],
    ];
    for (const [content, expected] of unproven) assert.equal(await verdict(head, content), expected, String(content));
    for (const [content, expected] of [
      [LINES, 'plain'],
      [gzipSync(LINES), 'gzip'],
    ] as const) {
      assert.equal(await verdict(`${head}Content-Length: ${content.length}\r\n`, content), expected);
    }
  }
});

test('our clock is held against the Date of the files host too, before a byte of its file is used', async () => {
  const answer = (date: number) => `HTTP/1.1 200 OK\r\nDate: ${new Date(date).toUTCString()}\r\nConnection: close\r\n`;
  const dayMs = 86_400_000;
  for (const ahead of [10 * dayMs, -10 * dayMs]) {
    assert.equal(await verdict(answer(Date.now() + ahead), ARRAY), 'clock-skew');
  }
  assert.equal(await verdict(answer(Date.now() + 60_000), ARRAY), 'plain');
});

test('a download that is aborted has removed its file by the time that the fetcher is let go', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // The rest never comes.
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n['));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const spool = await mkdtemp(join(tmpdir(), 'fetcher-test-'));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  try {
    const settings = loadSettings(SETTINGS, { env: { SPOOL_DIR: spool, GENESYS_FILE_HOSTS: host } });
    const fetcher = new ArchiveFetcher(settings, log, () => () => stop.abort(new Error('stopped')));
    await assert.rejects(
      fetcher.fetch('job', async () => `http://${host}/x`, stop.signal),
      /stopped/,
    );
    await fetcher[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(spool), []);
  } finally {
    server.close();
    await rm(spool, { recursive: true });
  }
});

test("a link to the region's files host is followed, and never to this machine, whatever the name resolves to", async (t) => {
  const spool = await mkdtemp(join(tmpdir(), 'fetcher-test-'));
  const asked: string[] = [];
  const lookup = (host: string, _options: unknown, answer: (error: null, addresses: dns.LookupAddress[]) => void) => {
    asked.push(host);
    answer(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  t.mock.method(dns, 'lookup', lookup as unknown as typeof dns.lookup);
  syncBuiltinESMExports();
  try {
    const env = { SPOOL_DIR: spool, GENESYS_REGION: 'mypurecloud.de', GENESYS_FILE_HOSTS: 'archives.example' };
    await using fetcher = new ArchiveFetcher(loadSettings(SETTINGS, { env }), log);
    const fetched = async (link: string) => {
      const soon = AbortSignal.timeout(10_000);
      return fetcher.fetch(link, async () => link, soon).catch((error: unknown) => error);
    };
    const refusal = await fetched('https://files.mypurecloud.de/x');
    assert.equal((refusal as { code?: string }).code, 'link-address-not-allowed');
    assert.deepEqual(asked, ['files.mypurecloud.de']);
    const elsewhere = await fetched('https://files.mypurecloud.ie/x');
    assert.equal((elsewhere as { code?: string }).code, 'link-host-not-allowed');
    assert.equal(asked.length, 1);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    await rm(spool, { recursive: true });
  }
});
