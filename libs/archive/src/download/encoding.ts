import { headerOf, type Headers } from '@genesys-kafka/http';
import { ArchiveError } from '../errors.ts';

/** What a host has put around the file itself. */
export type Encoding = 'identity' | 'gzip';

/** The codings that exist (IANA's registry, RFC 9110 8.4.1); other tokens change nothing: `utf-8`, `aws-chunked`. */
const CODINGS = ['aes128gcm', 'br', 'compress', 'dcb', 'dcz', 'deflate', 'exi', 'gzip', 'pack200-gzip', 'zstd'];

/** Throws `download-encoding` for what is not undone here: any coding but gzip, and more than one. */
export function encodingOf(headers: Headers, shown: string): Encoding {
  const tokens = (headerOf(headers, 'content-encoding') ?? '').toLowerCase().split(',');
  const codings = tokens.map((token) => token.trim().replace(/^x-/, '')).filter((token) => CODINGS.includes(token));
  if (codings.length === 0) return 'identity';
  if (codings.length === 1 && codings[0] === 'gzip') return 'gzip';
  throw new ArchiveError('download-encoding', `${shown} sends the file with Content-Encoding ${codings.join(', ')}.`);
}
