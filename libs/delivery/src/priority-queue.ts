import { Turns } from './turns.ts';

export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Where a request waits: by its route's priority, or, whatever that is, among the replays of dead letters. */
export type Lane = Priority | 'replay';
const LANES = [...PRIORITIES, 'replay'] as const;

export interface Shares {
  /** Turns of each tier where all wait, in proportion. */
  readonly weights: Readonly<Record<Priority, number>>;
  /** Share of turns that replays have while others wait, above 0 and below 1. */
  readonly replay: number;
}

export const DEFAULT_SHARES: Shares = { weights: { high: 16, normal: 4, low: 1 }, replay: 0.2 };

/**
 * First-in-first-out lanes that take turns by weight: three tiers, and replays beside them with a share of their own.
 * None starves: with weights of 16, 4 and 1, `low` has one turn in 21 of the tiers', whatever waits above it.
 */
export class PriorityQueue<T> {
  readonly #lanes: Record<Lane, T[]> = { high: [], normal: [], low: [], replay: [] };
  readonly #tiers: Turns<Priority>;
  readonly #kinds: Turns<'live' | 'replay'>;

  constructor({ weights, replay }: Shares = DEFAULT_SHARES) {
    this.#tiers = new Turns({ high: weights.high, normal: weights.normal, low: weights.low });
    this.#kinds = new Turns({ live: 1 - replay, replay });
  }

  get size(): number {
    return this.#liveSize + this.#lanes.replay.length;
  }

  /** Whether anything waits in a lane that may go. */
  has(replays: boolean): boolean {
    return this.#liveSize > 0 || (replays && this.#lanes.replay.length > 0);
  }

  push(lane: Lane, item: T): void {
    if (lane === 'replay') {
      if (this.#lanes.replay.length === 0) this.#kinds.begin('replay');
    } else {
      if (this.#liveSize === 0) this.#kinds.begin('live');
      if (this.#lanes[lane].length === 0) this.#tiers.begin(lane);
    }
    this.#lanes[lane].push(item);
  }

  /** Takes items out of turn, as an abort does: those that `wanted` picks, in the order in which they came by lane. */
  take(wanted: (item: T) => boolean): T[] {
    return LANES.flatMap((lane) => {
      const { taken = [], left = [] } = Object.groupBy(this.#lanes[lane], (item) => (wanted(item) ? 'taken' : 'left'));
      this.#lanes[lane] = left;
      return taken;
    });
  }

  /** Next in turn; undefined when nothing waits that may go. Without `replays` those are passed over. */
  shift(replays = true): T | undefined {
    const kind = this.#kinds.next((name) =>
      name === 'live' ? this.#liveSize > 0 : replays && this.#lanes.replay.length > 0,
    );
    if (kind !== 'live') return kind && this.#lanes.replay.shift();
    return this.#lanes[this.#tiers.next((tier) => this.#lanes[tier].length > 0)!].shift();
  }

  get #liveSize(): number {
    return this.#lanes.high.length + this.#lanes.normal.length + this.#lanes.low.length;
  }
}
