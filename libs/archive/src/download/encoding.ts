import { headerOf, type Headers } from '@genesys-kafka/http';
import { ArchiveError } from '../errors.ts';
import { sniff, SNIFF_BYTES } from '../sniff.ts';
import { unpack, type Expected, type Packed } from '../unpack.ts';
import { SpoolFile } from './spool-file.ts';

/** What a host has put around the file itself. */
export type Encoding = 'identity' | 'gzip';

/** The codings that exist (IANA's registry, RFC 9110 8.4.1); other tokens change nothing: `utf-8`, `aws-chunked`. */
const CODINGS = ['aes128gcm', 'br', 'compress', 'dcb', 'dcz', 'deflate', 'exi', 'gzip', 'pack200-gzip', 'zstd'];

/** What is packed already does not pack to a fraction once more. */
const MAX_LAYER_RATIO = 200;

/** Throws `download-encoding` for what is not undone here: any coding but gzip, and more than one. */
export function encodingOf(headers: Headers, shown: string): Encoding {
  const tokens = (headerOf(headers, 'content-encoding') ?? '').toLowerCase().split(',');
  const codings = tokens.map((token) => token.trim().replace(/^x-/, '')).filter((token) => CODINGS.includes(token));
  if (codings.length === 0) return 'identity';
  if (codings.length === 1 && codings[0] === 'gzip') return 'gzip';
  throw new ArchiveError('download-encoding', `${shown} sends the file with Content-Encoding ${codings.join(', ')}.`);
}

interface Layered {
  readonly file: SpoolFile;
  readonly bytes: number;
}

/**
 * Takes the gzip layer off that a host has named, where an archive lies under it; the file under the layer takes the
 * place of the one given, which is removed. Anything else is read as it is: gzip of JSON is a kind of archive itself,
 * and a file that is no gzip has no layer, whatever was said of it.
 */
export async function withoutLayer(
  { file, bytes }: Layered,
  options: { readonly spoolDir: string; readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<Layered> {
  const packed: Packed = { path: file.path, compression: 'gzip', offset: 0, bytes };
  const byRatio = bytes * MAX_LAYER_RATIO;
  const expected: Expected = {
    maxBytes: Math.min(options.maxBytes, byRatio),
    excess: byRatio < options.maxBytes ? 'archive-bomb' : 'archive-too-large',
  };
  if (sniff(await file.beginning(SNIFF_BYTES)) !== 'gzip' || !(await holdsArchive(packed, expected, options.signal))) {
    return { file, bytes };
  }
  const inner = await SpoolFile.create(options.spoolDir);
  try {
    let position = 0;
    for await (const chunk of unpack(packed, expected, options.signal)) {
      await inner.write(chunk, position);
      position += chunk.length;
    }
    await inner.close();
    await file.remove();
    return { file: inner, bytes: position };
  } catch (error) {
    await inner.remove();
    throw error;
  }
}

/** What cannot be unpacked has no archive in it; whoever reads the file will say what is wrong with it. */
async function holdsArchive(packed: Packed, expected: Expected, signal: AbortSignal | undefined): Promise<boolean> {
  const content = unpack(packed, expected, signal);
  try {
    const { value } = await content.next();
    const kind = Buffer.isBuffer(value) ? sniff(value.subarray(0, SNIFF_BYTES)) : undefined;
    return kind === 'zip' || kind === 'gzip';
  } catch (error) {
    if (error instanceof ArchiveError && error.code !== 'archive-unreadable') return false;
    throw error;
  } finally {
    await content.return({ bytes: 0, crc32: 0 });
  }
}
