import yauzl from 'yauzl';
import { ContentsCounter, type Contents } from './contents.ts';

/** What an archive of conversations holds, found out without any code of the product. */
export async function archiveContents(path: string, signal: AbortSignal): Promise<Contents> {
  const counter = new ContentsCounter();
  const zip = await yauzl.openPromise(path);
  for await (const entry of zip.eachEntry()) {
    for await (const record of splitRecords(await zip.openReadStreamPromise(entry))) {
      signal.throwIfAborted();
      counter.add((JSON.parse(record.toString()) as { conversationId: string }).conversationId, record);
    }
  }
  return counter.contents();
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** The objects of a JSON array, each as its own bytes. @internal */
export async function* splitRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  let at = 0;
  let start = -1;
  let depth = 0;
  let inString = false;
  for await (const chunk of chunks) {
    const kept = start < 0 ? Math.min(at, pending.length) : start;
    pending = Buffer.concat([pending.subarray(kept), chunk]);
    at -= kept;
    if (start >= 0) start = 0;
    for (; at < pending.length; at += 1) {
      const byte = pending[at]!;
      if (inString) {
        if (byte === BACKSLASH) at += 1;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (OPENING.has(byte)) {
        depth += 1;
        if (depth === 2) start = at;
      } else if (CLOSING.has(byte)) {
        depth -= 1;
        if (depth === 1) {
          yield pending.subarray(start, at + 1);
          start = -1;
        }
      }
    }
  }
  if (depth !== 0) throw new Error('The JSON ends in the middle of a record.');
}
