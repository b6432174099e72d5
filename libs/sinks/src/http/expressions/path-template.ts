/** A path and query with `{name}` where a record's own texts go. */
export class PathTemplate {
  /** Texts and names in turn, a text first and last. */
  readonly #pieces: readonly string[];

  constructor(path: string) {
    this.#pieces = path.split(SLOT);
  }

  get names(): readonly string[] {
    return this.#pieces.filter((_, index) => index % 2 === 1);
  }

  /** Up to the first of the record's texts: a place that exists without a record. */
  get fixed(): string {
    const [first, ...more] = this.#pieces as [string, ...string[]];
    return more.length === 0 ? first : first.slice(0, first.lastIndexOf('/') + 1);
  }

  /**
   * With each text encoded as one segment, whatever is in it; undefined for one that cannot be: an empty one, or dots
   * alone, which would mean another place.
   */
  fill(texts: Readonly<Record<string, string>>): string | undefined {
    let path = '';
    for (const [index, piece] of this.#pieces.entries()) {
      if (index % 2 === 0) {
        path += piece;
        continue;
      }
      const text = texts[piece]!;
      if (/^\.{0,2}$/.test(text) || text.length > MOST_CHARACTERS || !text.isWellFormed()) return undefined;
      path += encodeURIComponent(text);
    }
    return path;
  }
}

const SLOT = /\{([A-Za-z]\w{0,49})\}/;
const MOST_CHARACTERS = 1024;
