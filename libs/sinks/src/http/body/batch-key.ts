import { createHash } from 'node:crypto';

/** Idempotency key of a request that holds several records: the same for the same records in the same order. */
export function batchKey(idempotencyKeys: readonly string[]): string {
  return `batch:${createHash('sha256').update(idempotencyKeys.join('\n')).digest('base64url')}`;
}
