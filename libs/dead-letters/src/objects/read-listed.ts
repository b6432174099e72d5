import type { ListedObject } from '@genesys-kafka/object-store';
import { inOrder } from '../letters/in-order.ts';

/**
 * What `read` finds in each object of a list, `ahead` of them at once. An object that is gone when its turn comes was
 * purged or joined with others meanwhile, or a lifecycle rule has deleted it: what it became is in the list of by then,
 * which is asked for. `found` is undefined for one that is in that list, too, and still not there.
 */
export async function* readListed<T>(
  list: () => Promise<readonly ListedObject[]>,
  ahead: number,
  read: (object: ListedObject) => Promise<T | undefined>,
): AsyncGenerator<{ readonly key: string; readonly found: T | undefined }> {
  const met = new Set<string>();
  let gone = new Set<string>();
  do {
    const listed = await list();
    for (const { key } of listed) if (gone.has(key)) yield { key, found: undefined };
    const fresh = listed.filter(({ key }) => !met.has(key));
    gone = new Set();
    for await (const { key, found } of inOrder(fresh, ahead, async (one) => ({
      key: one.key,
      found: await read(one),
    }))) {
      met.add(key);
      if (found === undefined) gone.add(key);
      else yield { key, found };
    }
  } while (gone.size > 0);
}
