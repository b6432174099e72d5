import type { Reach } from '../conversations/conversations.ts';
import { lastEndMs, LONGEST_MS } from './life.ts';
import type { Life } from './life.ts';

export interface LongLivedOptions {
  readonly fromMs: number;
  readonly perDay: number;
  readonly lifeOf: (index: number) => Life;
}

/** The conversations of one day that lived longer than `SHORT_MS`, in the order of their number. */
interface Day {
  readonly indexes: readonly number[];
  readonly endMs: readonly number[];
}

const DAY_MS = 86_400_000;
/** Most conversations end within this; those that do are found by their start. */
const SHORT_MS = 6 * 3_600_000;
const MOST_DAYS = Math.ceil(LONGEST_MS / DAY_MS) + 2;

/**
 * Finds who may have lived at some moment without looking at everybody: about one in seven conversations lives long,
 * and of these the numbers and ends are kept for as many days as one can live.
 */
export class LongLived {
  readonly #options: LongLivedOptions;
  /** Number of the organisation's day → its long-lived, least recently used first. */
  readonly #days = new Map<number, Day>();

  constructor(options: LongLivedOptions) {
    this.#options = options;
  }

  reach(ms: number): Reach {
    const { fromMs, perDay } = this.#options;
    const firstScanned = Math.max(0, Math.floor((ms - SHORT_MS - fromMs) / DAY_MS));
    const oldest = Math.max(0, Math.floor((ms - LONGEST_MS - fromMs) / DAY_MS));
    const earlier: number[] = [];
    for (let day = oldest; day < firstScanned; day += 1) {
      const { indexes, endMs } = this.#day(day);
      for (const [at, end] of endMs.entries()) if (end > ms) earlier.push(indexes[at]!);
    }
    return { earlier, from: firstScanned * perDay };
  }

  #day(number: number): Day {
    const day = this.#days.get(number) ?? this.#search(number);
    this.#days.delete(number);
    this.#days.set(number, day);
    for (const oldest of this.#days.keys()) {
      if (this.#days.size <= MOST_DAYS) break;
      this.#days.delete(oldest);
    }
    return day;
  }

  #search(number: number): Day {
    const { perDay, lifeOf } = this.#options;
    const indexes: number[] = [];
    const endMs: number[] = [];
    for (let index = number * perDay; index < (number + 1) * perDay; index += 1) {
      const life = lifeOf(index);
      if (lastEndMs(life) - life.startMs <= SHORT_MS) continue;
      indexes.push(index);
      endMs.push(lastEndMs(life));
    }
    return { indexes, endMs };
  }
}
