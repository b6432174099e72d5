import type { Conversations } from './conversations.ts';

/** How records stand in a document: separators, and what goes before and after. */
export interface Layout {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

export const ARRAY: Layout = { before: '[', between: ',', after: ']' };
export const LINES: Layout = { before: '', between: '\n', after: '\n' };

const CHUNK_BYTES = 256 * 1024;

/**
 * The document's bytes in pieces of about 256 KiB. One piece exists at a time, and the records are written where they
 * stay: this runs at several hundred MB/s, so that a benchmark measures its reader.
 */
export function* jsonBytes(
  conversations: Conversations,
  indexes: Iterable<number>,
  layout: Layout = ARRAY,
): Generator<Buffer, void> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let used = chunk.write(layout.before);
  let separator = '';
  for (const index of indexes) {
    const text = separator + conversations.text(index);
    separator = layout.between;
    // Three bytes are the most that one UTF-16 unit takes.
    const most = text.length * 3;
    if (most > chunk.length - used) {
      if (used > 0) yield chunk.subarray(0, used);
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      used = 0;
    }
    used += chunk.write(text, used);
  }
  if (used > 0) yield chunk.subarray(0, used);
  if (separator !== '' || layout !== LINES) yield Buffer.from(layout.after);
}
