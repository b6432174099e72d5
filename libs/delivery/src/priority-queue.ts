export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** A waiting tier gets a turn after at most this many turns went to higher ones. */
const MAX_TURNS_MISSED = 16;

/**
 * Three first-in-first-out tiers; the highest that waits goes first. So that a steady stream above starves nobody for
 * ever, a tier that missed 16 turns in a row goes next (the lowest such tier first): `low` keeps at least
 * one turn in 17 or so, whatever waits above it.
 */
export class PriorityQueue<T> {
  readonly #tiers: Record<Priority, T[]> = { high: [], normal: [], low: [] };
  readonly #missed: Record<Priority, number> = { high: 0, normal: 0, low: 0 };

  get size(): number {
    return this.#tiers.high.length + this.#tiers.normal.length + this.#tiers.low.length;
  }

  push(priority: Priority, item: T): void {
    this.#tiers[priority].push(item);
  }

  /** Takes items out of turn, as an abort does: those that `wanted` picks, in the order in which they came by tier. */
  take(wanted: (item: T) => boolean): T[] {
    return PRIORITIES.flatMap((tier) => {
      const { taken = [], left = [] } = Object.groupBy(this.#tiers[tier], (item) => (wanted(item) ? 'taken' : 'left'));
      this.#tiers[tier] = left;
      if (left.length === 0) this.#missed[tier] = 0;
      return taken;
    });
  }

  /** Next in turn; undefined when nothing waits. */
  shift(): T | undefined {
    const waiting = PRIORITIES.filter((tier) => this.#tiers[tier].length > 0);
    const turn = waiting.findLast((tier) => this.#missed[tier] >= MAX_TURNS_MISSED) ?? waiting[0];
    if (turn === undefined) return undefined;
    for (const tier of waiting) this.#missed[tier] += 1;
    this.#missed[turn] = 0;
    return this.#tiers[turn].shift();
  }
}
