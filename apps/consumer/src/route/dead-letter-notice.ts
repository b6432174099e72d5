import type { Logger } from '@genesys-kafka/runtime';

/**
 * Tells of a route's dead letters without a line for each: the first of every cause, then the sum whenever it has grown
 * tenfold.
 */
export class DeadLetterNotice {
  readonly #route: string;
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();

  constructor(route: string, log: Logger) {
    this.#route = route;
    this.#log = log;
  }

  /** `cause` is a stable code: of those there are few. */
  count(cause: string): void {
    const deadLetters = (this.#counts.get(cause) ?? 0) + 1;
    this.#counts.set(cause, deadLetters);
    if (!isPowerOfTen(deadLetters)) return;
    const what = deadLetters === 1 ? 'a first dead letter of this cause' : 'dead letters of this cause so far';
    this.#log.warn({ route: this.#route, cause, deadLetters }, what);
  }
}

function isPowerOfTen(count: number): boolean {
  return 10 ** Math.round(Math.log10(count)) === count;
}
