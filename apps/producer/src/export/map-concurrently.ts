/**
 * Runs `work` over the items, at most `concurrency` at once, results in the items' order. The first rejection aborts
 * the signal handed to the others, and is thrown once all of them have ended: nothing goes on behind the caller's back.
 * That is why it is not p-map, which rejects at once and lets the others run on, here into a lane that is being given up.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  concurrency: number,
  outer: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length && !signal.aborted) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index] as T, signal);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, items.length) }, worker);
  const settled = await Promise.allSettled(workers);
  outer.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
  return results;
}
