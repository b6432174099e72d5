import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which Linux (32768) and macOS (49152) take ports for outgoing connections: a broker that is
// stopped for a while must find its port free when it comes back.
const LOWEST = 10_240;
const HIGHEST = 32_767;

/** A loopback port nobody listens on now. Another program may still take it first: the caller tries again. */
async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`);
}

/** `count` different free ports, none of those that are spoken for though nobody listens on them yet. */
export async function freePorts(count: number, spokenFor: readonly number[] = []): Promise<number[]> {
  const taken = new Set(spokenFor);
  const ports: number[] = [];
  while (ports.length < count) {
    const port = await freePort(taken);
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
