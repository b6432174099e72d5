import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { Fault } from './fault-rules.ts';

type Body = AsyncIterable<Buffer>;

/** Time for bytes already written to reach the other side: a reset discards what the kernel still holds. */
const FLUSH_MS = 30;

/** Inverts the bytes of the fault that lie in this body, whose first byte is number `start` of the whole. */
export async function* corrupted(body: Body, fault: Fault & { kind: 'corrupt' }, start: number): Body {
  let position = start;
  for await (const chunk of body) {
    const from = Math.max(fault.offset - position, 0);
    const to = Math.min(fault.offset + fault.length - position, chunk.length);
    position += chunk.length;
    if (from >= to) {
      yield chunk;
      continue;
    }
    const copy = Buffer.from(chunk);
    for (let at = from; at < to; at++) copy[at] = 0xff ^ (copy[at] ?? 0);
    yield copy;
  }
}

/** The first `bytes` bytes. */
export async function* firstBytes(body: Body, bytes: number): Body {
  let left = bytes;
  for await (const chunk of body) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

/** Sends `afterBytes` bytes, then resets the connection (RST, not FIN). */
export async function* resetAfter(body: Body, afterBytes: number, socket: Socket): Body {
  yield* firstBytes(body, afterBytes);
  await delay(FLUSH_MS);
  socket.resetAndDestroy();
}

/** Sends `afterBytes` bytes at once; the rest at `bytesPerSecond`, or never. Ends when the other side goes away. */
export async function* stalled(body: Body, fault: Fault & { kind: 'stall' }, socket: Socket): Body {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  if (socket.destroyed) gone.abort();
  let position = 0;
  for await (const chunk of body) {
    const atOnce = Math.max(0, Math.min(chunk.length, fault.afterBytes - position));
    position += chunk.length;
    if (atOnce > 0) yield chunk.subarray(0, atOnce);
    if (atOnce === chunk.length) continue;
    if (fault.bytesPerSecond === 0) {
      await new Promise((resolve) => gone.signal.addEventListener('abort', resolve, { once: true }));
      return;
    }
    yield* trickle(chunk.subarray(atOnce), fault.bytesPerSecond, gone.signal);
  }
}

/** Ten pieces a second, or one byte at a time where that is more than a byte. */
async function* trickle(chunk: Buffer, bytesPerSecond: number, signal: AbortSignal): Body {
  const pieceBytes = Math.max(1, Math.floor(bytesPerSecond / 10));
  for (let at = 0; at < chunk.length && !signal.aborted; at += pieceBytes) {
    await delay((pieceBytes * 1000) / bytesPerSecond, undefined, { signal }).catch(() => undefined);
    yield chunk.subarray(at, at + pieceBytes);
  }
}
