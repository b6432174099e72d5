import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import yazl from 'yazl';
import type { Conversations } from '../conversations/conversations.ts';
import { ARRAY, jsonBytes, LINES } from '../conversations/json-stream.ts';

export type Container = 'zip' | 'json' | 'json.gz' | 'ndjson' | 'ndjson.gz';

export interface WriteArchiveOptions {
  readonly container: Container;
  /** 0 (stored) … 9. Level 1 is about twice as fast as 6 and a fifth larger. */
  readonly compressionLevel: number;
  readonly signal?: AbortSignal;
}

/** Fixed, and local as DOS times are, so that equal queries give equal bytes in every time zone. */
const ENTRY_TIME = new Date(2025, 0, 1, 12);
const ENTRY_NAME = 'conversations.json';

/**
 * Writes the records to `out` and ends it. Memory does not depend on how many there are: pieces are generated when
 * `out` asks for them. Resolves with the JSON's length before compression. A ZIP holds one JSON array, with a data descriptor (the sizes are not known ahead), and turns
 * into ZIP64 past 4 GiB.
 */
export async function writeArchive(
  conversations: Conversations,
  indexes: Iterable<number>,
  out: Writable,
  options: WriteArchiveOptions,
): Promise<{ readonly jsonBytes: number }> {
  const { container, compressionLevel, signal } = options;
  const layout = container.startsWith('ndjson') ? LINES : ARRAY;
  const tally = { jsonBytes: 0 };
  const source = counted(jsonBytes(conversations, indexes, layout), tally);
  const bytes = Readable.from(source, { objectMode: false, highWaterMark: 1 });
  const abort = signal ? { signal } : {};
  if (container === 'zip') await writeZip(bytes, out, compressionLevel, abort);
  else if (container.endsWith('.gz')) await pipeline(bytes, createGzip({ level: compressionLevel }), out, abort);
  else await pipeline(bytes, out, abort);
  return tally;
}

function* counted(chunks: Iterable<Buffer>, tally: { jsonBytes: number }): Generator<Buffer, void> {
  for (const chunk of chunks) {
    tally.jsonBytes += chunk.length;
    yield chunk;
  }
}

async function writeZip(bytes: Readable, out: Writable, level: number, abort: { signal?: AbortSignal }): Promise<void> {
  const zip = new yazl.ZipFile();
  const compression = level === 0 ? { compress: false } : { compress: true, compressionLevel: level };
  zip.addReadStream(bytes, ENTRY_NAME, { mtime: ENTRY_TIME, mode: 0o100644, forceDosTimestamp: true, ...compression });
  zip.end();
  // yazl pipes without passing errors on: a failing source must end the output by hand, and the other way round.
  bytes.once('error', (error) => out.destroy(error));
  try {
    await pipeline(zip.outputStream, out, abort);
  } finally {
    bytes.destroy();
  }
}
