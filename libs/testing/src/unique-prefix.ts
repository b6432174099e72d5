import { randomBytes } from 'node:crypto';

/** A topic prefix no other test uses, `t-<12 hex digits>.`: many tests share one stack. */
export function uniquePrefix(): string {
  return `t-${randomBytes(6).toString('hex')}.`;
}
