import { brotliDecompressSync, constants, unzipSync } from 'node:zlib';
import { headerOf, type Headers } from '@genesys-kafka/http';

/**
 * The text of an answer's body, of which the end may be missing. Nothing of ours asks for a compressed one, and a server
 * may send one all the same (RFC 9110, 12.5.3). Empty where it cannot be read, or is more than `mostBytes`.
 */
export function answerText(headers: Headers, bytes: Buffer, mostBytes: number): string {
  const coding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? '';
  try {
    return new TextDecoder().decode(unpacked(coding, bytes, mostBytes));
  } catch {
    return '';
  }
}

function unpacked(coding: string, bytes: Buffer, maxOutputLength: number): Buffer {
  if (bytes.length === 0) return bytes;
  if (/^(?:x-)?gzip$|^deflate$/.test(coding))
    return unzipSync(bytes, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
  if (coding === 'br')
    return brotliDecompressSync(bytes, { maxOutputLength, finishFlush: constants.BROTLI_OPERATION_FLUSH });
  return bytes;
}
