import { passes } from './letter-filter.ts';
import {
  noMarks,
  type LetterFilter,
  type LetterMarks,
  type LetterStore,
  type StoredDeadLetter,
} from './stored-dead-letter.ts';

/**
 * The dead letters of all stores as one: what lies in two of them, or twice in one, is met once, where it stands first.
 * Each store is read twice, since a mark comes after its dead letter; in memory are identities, not records.
 */
export class Letters {
  readonly #stores: readonly LetterStore[];

  constructor(stores: readonly LetterStore[]) {
    this.#stores = stores;
  }

  /** After a walk: what was not written by this program, which is left alone. */
  get unreadable(): number {
    return this.#stores.reduce((sum, { unreadable }) => sum + unreadable, 0);
  }

  /** `known`: the marks, where they were read before. */
  async *walk(filter: LetterFilter = {}, known?: LetterMarks): AsyncGenerator<StoredDeadLetter> {
    const marks = known ?? (await this.marks(filter));
    const seen = new Set<string>();
    /** Without their value, which another store may have. */
    const pointers = new Map<string, StoredDeadLetter>();
    for (const store of this.#stores) {
      for await (const found of store.scan(filter)) {
        if (isPurged(found, marks) || seen.has(found.id)) continue;
        const replayedAt = marks.replayed.get(found.id);
        const letter = replayedAt === undefined ? found : { ...found, replayedAt };
        if (letter.deadLetter.omittedBytes !== undefined) {
          pointers.set(found.id, letter);
          continue;
        }
        pointers.delete(found.id);
        if (!passes(letter, filter)) continue;
        seen.add(found.id);
        yield letter;
      }
    }
    for (const pointer of pointers.values()) if (passes(pointer, filter)) yield pointer;
  }

  /** What was done with the dead letters that a filter may mean. */
  async marks(filter: LetterFilter = {}): Promise<LetterMarks> {
    const marks = noMarks();
    for (const store of this.#stores) await store.readMarks(marks, filter);
    return marks;
  }
}

/**
 * A marker is for what lay in the topic before it: object storage deletes what is purged, and shows it until then. What
 * comes later with the same identity was given up again, by a source that is read anew from its beginning.
 */
function isPurged({ id, place }: Pick<StoredDeadLetter, 'id' | 'place'>, { purged }: LetterMarks): boolean {
  const marker = purged.get(id);
  if (marker === undefined || 'object' in place) return false;
  return place.partition !== marker.partition || place.offset < marker.offset;
}

/** A store of which only the marks are read: what was replayed from one store is replayed. */
export function marksOnly(store: LetterStore): LetterStore {
  return {
    unreadable: 0,
    readMarks: async (marks, filter) => store.readMarks(marks, filter),

    scan: async function* () {
      return;
    },
  };
}
