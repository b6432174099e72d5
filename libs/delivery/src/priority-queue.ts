export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** A waiting tier gets a turn after at most this many turns went to higher ones. */
const MAX_TURNS_MISSED = 16;

/**
 * Three first-in-first-out tiers; the highest that waits goes first. So that a steady stream above starves nobody for
 * ever, a tier that missed 16 turns in a row goes next (the lowest such tier first): `low` keeps at least
 * one turn in 17 or so, whatever waits above it.
 */
export class PriorityQueue<T extends object> {
  readonly #tiers: Record<Priority, Set<T>> = { high: new Set(), normal: new Set(), low: new Set() };
  readonly #missed: Record<Priority, number> = { high: 0, normal: 0, low: 0 };

  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Items are told apart by identity: none is pushed twice. */
  push(priority: Priority, item: T): void {
    this.#tiers[priority].add(item);
    this.#size += 1;
  }

  /** Takes items out of turn, as an abort does: those that `wanted` picks, in the order in which they came by tier. */
  take(wanted: (item: T) => boolean): T[] {
    return PRIORITIES.flatMap((tier) => {
      const items = [...this.#tiers[tier]].filter(wanted);
      for (const item of items) this.#delete(tier, item);
      return items;
    });
  }

  /** Next in turn; undefined when nothing waits. */
  shift(): T | undefined {
    const waiting = PRIORITIES.filter((tier) => this.#tiers[tier].size > 0);
    const turn = waiting.findLast((tier) => this.#missed[tier] >= MAX_TURNS_MISSED) ?? waiting[0];
    if (turn === undefined) return undefined;
    for (const tier of waiting) this.#missed[tier] += 1;
    const [item] = this.#tiers[turn];
    this.#delete(turn, item!);
    this.#missed[turn] = 0;
    return item;
  }
  #delete(priority: Priority, item: T): void {
    this.#tiers[priority].delete(item);
    this.#size -= 1;
    if (this.#tiers[priority].size === 0) this.#missed[priority] = 0;
  }
}
