import type { Readable } from 'node:stream';

/**
 * All bytes of a body that arrived, and only then the error that ended it: a stream's own iterator drops what it
 * holds when the connection breaks.
 */
export async function* arrived(body: Readable): AsyncGenerator<Buffer, void, undefined> {
  let wake = (): void => undefined;
  const wakeUp = () => wake();
  for (const event of ['readable', 'end', 'error', 'close']) body.on(event, wakeUp);
  try {
    for (;;) {
      const chunk = body.read() as Buffer | null;
      if (chunk !== null) {
        yield chunk;
        continue;
      }
      if (body.errored) throw body.errored;
      if (body.readableEnded || body.destroyed) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    for (const event of ['readable', 'end', 'error', 'close']) body.off(event, wakeUp);
  }
}
