/** The middle of some figures, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Undefined of nothing. */
export function spread(figures: readonly number[]): Spread | undefined {
  const sorted = figures.toSorted((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/**
 * By how much a figure moved: of two series from the same rounds, the spread of the ratios within a round. What slows a
 * whole round slows both, so the ratio has less noise than the figures.
 */
export function pairedRatio(now: readonly number[], before: readonly number[]): Spread | undefined {
  if (now.length !== before.length) throw new Error(`${now.length} rounds beside ${before.length}`);
  return spread(now.flatMap((figure, round) => (before[round]! > 0 ? [figure / before[round]!] : [])));
}
