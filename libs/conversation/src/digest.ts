import { hash } from 'node:crypto';

const DIGEST_BYTES = 32;
const PAIR = Buffer.alloc(2 * DIGEST_BYTES);

/** SHA-256 of a record's original bytes: 32 bytes, the record's content identity. */
export function contentDigest(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/**
 * The next link of a source's chain, SHA-256(previous ‖ digest): it covers every record so far and their order.
 * A source's chain starts at 32 zero bytes (`chainStart`).
 */
export function chain(previous: Uint8Array, digest: Uint8Array): Buffer {
  if (previous.length !== DIGEST_BYTES || digest.length !== DIGEST_BYTES) {
    throw new RangeError(`A chain is made of ${DIGEST_BYTES}-byte digests.`);
  }
  // One buffer serves every call: hashing is synchronous, so nobody else can write to it meanwhile.
  PAIR.set(previous, 0);
  PAIR.set(digest, DIGEST_BYTES);
  return hash('sha256', PAIR, 'buffer');
}

/** The chain of a source of which nothing has been read: 32 zero bytes, a fresh buffer each time. */
export function chainStart(): Buffer {
  return Buffer.alloc(DIGEST_BYTES);
}
