/**
 * Reads ahead of the consumer by up to `depth` items, so that a stage works while the one after it waits.
 * The source's memory bound is `depth` items plus the one being made. Errors arrive in their place; leaving early
 * closes the source.
 */
export async function* prefetch<T>(source: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const ahead: Promise<IteratorResult<T>>[] = [];
  try {
    for (;;) {
      while (ahead.length <= depth) {
        const next = iterator.next();
        // It may never be awaited when the consumer leaves.
        next.catch(() => undefined);
        ahead.push(next);
      }
      const result = await ahead.shift()!;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    await Promise.allSettled(ahead);
    await iterator.return?.();
  }
}
