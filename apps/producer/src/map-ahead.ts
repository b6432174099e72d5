/**
 * Starts `work` for up to `depth` items before the one that is waited for, results in the items' order: a stage that
 * works elsewhere (a thread, the network) has something to do meanwhile. A failure comes in its place.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  depth: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // It may never be awaited when the reader leaves, or when one before it fails.
    result.catch(() => undefined);
    ahead.push(result);
    if (ahead.length > depth) yield await ahead.shift()!;
  }
  while (ahead.length > 0) yield await ahead.shift()!;
}
