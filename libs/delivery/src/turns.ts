/**
 * Whose turn it is, shared by weight among those that wait (stride scheduling): each turn moves the one that has it on
 * by 1/weight, and whoever stands lowest is next; between equals, whoever is named first. One that begins to wait
 * starts level with the others, so that nobody saves up turns or is made to pay for those taken while it was alone.
 * So one that waits has its turn after at most (weight of another / its own) + 1 turns of each other one.
 */
export class Turns<K extends string> {
  readonly #weights: Readonly<Record<K, number>>;
  readonly #names: readonly K[];
  readonly #places = new Map<K, number>();
  #level = 0;

  /** Weights are above 0. */
  constructor(weights: Readonly<Record<K, number>>) {
    this.#weights = weights;
    this.#names = Object.keys(weights) as K[];
  }

  /** `name` waits, and did not until now. */
  begin(name: K): void {
    this.#places.set(name, Math.max(this.#places.get(name) ?? 0, this.#level + 1 / this.#weights[name]));
  }

  /** Among those that `waits` says wait; undefined where none does. */
  next(waits: (name: K) => boolean): K | undefined {
    let next: K | undefined;
    for (const name of this.#names) {
      if (waits(name) && (next === undefined || this.#places.get(name)! < this.#places.get(next)!)) next = name;
    }
    if (next === undefined) return undefined;
    // One that was passed over, as it had no room, stands lower than those that went on: it saves up no turns by that.
    this.#level = Math.max(this.#level, this.#places.get(next)!);
    this.#places.set(next, this.#level + 1 / this.#weights[next]);
    return next;
  }
}
