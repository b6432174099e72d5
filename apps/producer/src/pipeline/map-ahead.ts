/**
 * Starts `work` for up to `depth` items before the one that is waited for, results in the items' order: a stage that
 * works elsewhere (a thread, the network) has something to do meanwhile. A failure, of the work or of the items'
 * source, comes in its place: what was made of the items before it is handed out, and nothing of those after it.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  depth: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead: Promise<R>[] = [];
  const push = (result: Promise<R>) => {
    // It may never be awaited when the reader leaves, or when one before it fails.
    result.catch(() => undefined);
    ahead.push(result);
  };
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (let isOpen = true; isOpen || ahead.length > 0;) {
      while (isOpen && ahead.length <= depth) {
        const coming = iterator.next();
        const next = await coming.catch(() => undefined);
        // The source failed: that is the last of its items.
        if (next === undefined) push(coming as Promise<never>);
        else if (!next.done) push(work(next.value));
        isOpen = next !== undefined && !next.done;
      }
      const first = ahead.shift();
      if (first) yield await first;
    }
  } finally {
    await iterator.return?.();
  }
}
