/**
 * `target.ts MS COUNT`: a target that answers at once, or after so many milliseconds, in a process of its own: `{ url }`
 * when it listens, `'all'` when it was sent so many records, what it was sent when asked to end. At `/lines` it counts the lines of each request and keeps their keys.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly requests: number;
  readonly records: number;
  readonly distinct: number;
  /** From the first request to the last. */
  readonly seconds: number;
}

const [afterMs, count] = process.argv.slice(2).map(Number) as [number, number];
const LF = 0x0a;
const QUOTE = 0x22;
const KEY_AT = '{"idempotencyKey":"'.length;

const keys = new Set<string>();
let requests = 0;
let records = 0;
let firstMs = 0;
let lastMs = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  if (request.url === '/lines') request.on('data', (chunk: Buffer) => chunks.push(chunk));
  else request.resume();
  request.on('end', () => {
    lastMs = performance.now();
    if (requests === 0) firstMs = lastMs;
    requests += 1;
    if (request.url === '/lines') readLines(Buffer.concat(chunks));
    else take(String(request.headers['idempotency-key']));
    if (afterMs > 0) setTimeout(() => response.writeHead(200).end(), afterMs);
    else response.writeHead(200).end();
  });
});
function take(key: string): void {
  records += 1;
  keys.add(key);
  if (records === count) process.send!('all');
}

/** The key stands first in each line: `{"idempotencyKey":"…"`. */
function readLines(body: Buffer): void {
  for (let from = 0; from < body.length; from = body.indexOf(LF, from) + 1)
    take(body.toString('latin1', from + KEY_AT, body.indexOf(QUOTE, from + KEY_AT)));
}

server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` });
});
process.on('message', () => {
  const seen: Seen = { requests, records, distinct: keys.size, seconds: (lastMs - firstMs) / 1000 };
  process.send!(seen, () => process.exit(0));
});
