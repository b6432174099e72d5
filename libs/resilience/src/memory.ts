/**
 * Frees the memory that `bytes` lie in, all of it: nobody may read there again, nor may a call that was handed it still
 * be under way. The garbage collector sees little of what is outside its heap, and lets tens of megabytes of it wait.
 * Memory of Node's pool, and such as threads share, stays.
 */
export function giveBack({ buffer }: Uint8Array): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength !== Buffer.poolSize;
  // Without bytes is what was given back before, or an empty buffer, of which many may be one.
  if (isOwn && buffer.byteLength > 0) buffer.transfer(0);
}
