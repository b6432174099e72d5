/** `target.ts [MS]`: a target that answers at once, or after so many milliseconds, in a process of its own: `{ url }` when it listens, what it was sent when asked to end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly requests: number;
  readonly distinct: number;
  /** From the first request to the last. */
  readonly seconds: number;
}

const afterMs = Number(process.argv[2] ?? 0);
const keys = new Set<string>();
let requests = 0;
let firstMs = 0;
let lastMs = 0;

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    lastMs = performance.now();
    if (requests === 0) firstMs = lastMs;
    requests += 1;
    keys.add(String(request.headers['idempotency-key']));
    if (afterMs > 0) setTimeout(() => response.writeHead(200).end(), afterMs);
    else response.writeHead(200).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` });
});
process.on('message', () => {
  const seen: Seen = { requests, distinct: keys.size, seconds: (lastMs - firstMs) / 1000 };
  process.send!(seen, () => process.exit(0));
});
