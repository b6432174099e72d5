import { createHmac } from 'node:crypto';
import type { Message } from '../client/http-client.ts';

export interface SignatureOptions {
  readonly secret: string;
  /** In lower case. */
  readonly header: string;
  readonly algorithm: 'sha256' | 'sha512';
}

/**
 * Header value `t=SECONDS,v1=HEX` for a message that is sent now. Signed are these, each with a line feed after it: the
 * seconds since the epoch, method, path with query, `idempotency-key`, `record-version` (empty where there is none);
 * then the bytes of the body. docs/sinks/http.md says so to those who verify it.
 */
export function signatureOf(
  { method, path, headers, body }: Message,
  options: SignatureOptions,
  nowMs: number,
): string {
  const seconds = Math.floor(nowMs / 1000);
  const { 'idempotency-key': key = '', 'record-version': version = '' } = headers;
  const hmac = createHmac(options.algorithm, options.secret);
  hmac.update(`${seconds}\n${method}\n${path}\n${key}\n${version}\n`).update(body);
  return `t=${seconds},v1=${hmac.digest('hex')}`;
}
