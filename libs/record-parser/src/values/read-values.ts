import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ValuesError } from './errors.ts';
import { tokenPieces } from './tokens.ts';
import { TopLevel, type ReadValue } from './top-level.ts';

export interface ReadValuesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Brackets open at once inside one value. Default 256. */
  readonly maxDepth?: number;
  /** Characters of one value, give or take a piece of the file (64 Ki). Default 16 Mi. */
  readonly maxLength?: number;
  /**
   * Keeps numbers that a double would spell otherwise as `JSON.rawJSON`, for whoever only writes the values again.
   * Default false: every number is a double, so that 9007199254740993 becomes …992.
   */
  readonly exactNumbers?: boolean;
}

const GZIP_MAGIC = Buffer.of(0x1f, 0x8b);

/**
 * The values of a JSON file of any size, plain or gzip, one at a time: the elements of a top-level array, those of the
 * array `conversations` of a top-level object, or values that stand one after the other (NDJSON). Values are lossy:
 * spelling, repeated keys (the last wins) and, unless asked for, exact numbers are gone; where a record's bytes matter,
 * use RecordScanner. Memory is one value. The file is closed when the reader leaves.
 * Throws ValuesError with the place of the fault, after the values before it; the signal's reason when it aborts.
 */
export async function* readValues(path: string, options: ReadValuesOptions = {}): AsyncGenerator<ReadValue, void> {
  try {
    yield* valuesOf(bytesOf(path, options.signal), options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ValuesError || code === undefined) throw error;
    throw new ValuesError('values-unreadable', `The file cannot be read (${code}).`, { cause: error });
  }
}

async function* bytesOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { signal });
  try {
    await once(file, 'readable');
    const head = file.read() as Buffer | null;
    if (head === null) return;
    file.unshift(head);
    const isGzip = head.subarray(0, 2).equals(GZIP_MAGIC);
    yield* (isGzip ? pipeline(file, createGunzip(), () => undefined) : file) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}

/** As `readValues`, from bytes in pieces of any size. @internal */
export async function* valuesOf(
  chunks: AsyncIterable<Buffer>,
  { maxDepth = 256, maxLength = 16 * 1024 * 1024, exactNumbers = false }: ReadValuesOptions = {},
): AsyncGenerator<ReadValue, void> {
  const top = new TopLevel(maxDepth, exactNumbers);
  let length = 0;
  for await (const piece of tokenPieces(chunks)) {
    length += piece.length;
    for (const token of piece.tokens) {
      const value = top.take(token);
      if (!value) continue;
      yield value;
      length = 0;
    }
    if (piece.fault !== undefined) throw ValuesError.broken(top.ordinal, piece.fault);
    if (length > maxLength) throw ValuesError.broken(top.ordinal, `it is longer than ${maxLength} characters`);
  }
}
