/** What the first bytes say. `plain` is JSON or NDJSON; the scanner tells them apart. */
export type Content = 'zip' | 'gzip' | 'plain' | { readonly foreign: string };

/** Bytes that `sniff` wants to see, or all when there are fewer. */
export const SNIFF_BYTES = 4096;

const SIGNATURES: readonly (readonly [name: string, signature: string, at?: number])[] = [
  ['a 7z archive', '7z\xbc\xaf\x27\x1c'],
  ['a RAR archive', 'Rar!'],
  ['a zstd file', '\x28\xb5\x2f\xfd'],
  ['an xz file', '\xfd7zXZ'],
  ['a bzip2 file', 'BZh'],
  ['a tar archive', 'ustar', 257],
  ['a PDF', '%PDF'],
  ['a Parquet file', 'PAR1'],
  ['UTF-16 or UTF-32 text (only UTF-8 is read)', '\xff\xfe'],
  ['UTF-16 or UTF-32 text (only UTF-8 is read)', '\xfe\xff'],
  ['UTF-16 or UTF-32 text (only UTF-8 is read)', '\0\0\xfe\xff'],
];

/** Tells a file's kind by its content; the name says nothing. */
export function sniff(head: Buffer): Content {
  const text = head.toString('latin1');
  // An archive of no entries begins with its end record, a spanned one with a marker.
  if (/^PK(\x03\x04|\x05\x06|\x06\x06|\x07\x08|00PK)/.test(text)) return 'zip';
  if (text.startsWith('\x1f\x8b')) return 'gzip';
  const body = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (body === '' && /^[ \t\r\n]*$/.test(text)) return 'plain';
  if (/^[[{]/.test(body)) return body[1] === '\0' ? { foreign: 'UTF-16 or UTF-32 text (only UTF-8 is read)' } : 'plain';
  for (const [name, signature, at = 0] of SIGNATURES) if (text.startsWith(signature, at)) return { foreign: name };
  if (/^<(!doctype\s+html|html|head|body)/i.test(body)) return { foreign: 'HTML' };
  if (body.startsWith('<')) return { foreign: /<html/i.test(body) ? 'HTML' : 'XML' };
  return { foreign: /[^\t\r\n\x20-\xff]/.test(text) ? 'binary data' : 'text' };
}
