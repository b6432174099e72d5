/** What `work` makes of each item, in the items' order; up to `ahead` calls are under way besides the one that is waited for. */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const pending: Promise<R>[] = [];
  for (const item of items) {
    const one = work(item);
    // Its failure is met where it is waited for; nobody may come to that.
    one.catch(() => undefined);
    pending.push(one);
    if (pending.length > ahead) yield await pending.shift()!;
  }
  for (const one of pending) yield await one;
}
