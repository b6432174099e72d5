/**
 * A files host in a process of its own: one file, whole or by range, at an address that it prints.
 *
 *   node files-host.ts FILE
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: files-host.ts FILE');
const { size, mtimeMs } = statSync(file);
const headers = {
  'content-type': 'application/zip',
  'accept-ranges': 'bytes',
  etag: `"${size}-${Math.round(mtimeMs)}"`,
  'last-modified': new Date(mtimeMs).toUTCString(),
};

const server = createServer((request, response) => {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(match?.[1] ?? 0);
  const end = Math.min(match?.[2] ? Number(match[2]) : size - 1, size - 1);
  const range = match ? { 'content-range': `bytes ${start}-${end}/${size}` } : {};
  response.writeHead(match ? 206 : 200, { ...headers, ...range, 'content-length': end - start + 1 });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file, { start, end, highWaterMark: 1024 * 1024 }).pipe(response);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${basename(file)}`);
});
