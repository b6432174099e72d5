import { passes } from './letter-filter.ts';
import type { LetterFilter, LetterMarks, LetterStore, StoredDeadLetter } from './stored-dead-letter.ts';

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
    const marks = known ?? (await this.#marks(filter));
    const seen = new Set<string>();
    for (const store of this.#stores) {
      for await (const found of store.scan(filter)) {
        if (marks.purged.has(found.id) || seen.has(found.id)) continue;
        const replayedAt = marks.replayed.get(found.id);
        const letter = replayedAt === undefined ? found : { ...found, replayedAt };
        if (!passes(letter, filter)) continue;
        seen.add(found.id);
        yield letter;
      }
    }
  }

  async #marks(filter: LetterFilter): Promise<LetterMarks> {
    const marks: LetterMarks = { replayed: new Map(), purged: new Set() };
    for (const store of this.#stores) await store.readMarks(marks, filter);
    return marks;
  }
}
