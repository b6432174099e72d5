import { systemClock, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { UNNAMED_WAIT_MS } from '../interceptors/rate-limits.ts';
import { Allowance } from './allowance.ts';
import type { RateHeaders } from './rate-headers.ts';

/** Leave for one call. */
export interface Turn {
  /** Its answer has begun, with or without a refusal for the rate. */
  answered(said: RateHeaders | 'absent' | 'unreadable', isRefusal: boolean): void;
  /** It was refused for the rate: nobody goes for the time named, or for one that grows. Says for how long. */
  refused(namedMs: number | undefined): number;
  done(): void;
}

export interface BudgetState {
  /** Requests in the running window by the server's count, and what it allows; 0 and 0 until it has told. */
  readonly used: number;
  readonly allowed: number;
  /** All the time that calls have waited here, summed over the calls. */
  readonly waitedMs: number;
}

const MAX_UNNAMED_WAIT_MS = 60_000;

/**
 * The one budget of all calls of a process: so many a second, what the server says is left of its own limit, and a
 * pause for everybody after a refusal. Turns are given in the order of asking.
 */
export class RequestBudget {
  readonly #perSecond: number;
  readonly #maxHoldMs: number;
  readonly #clock: Clock;
  readonly #allowance = new Allowance();
  #share = 1;
  #recentMs: number[] = [];
  #heldUntilMs = -Infinity;
  #refusals = { inRow: 0, atMs: -Infinity };
  #waitedMs = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #change = new AbortController();

  constructor(options: { readonly perSecond: number; readonly maxHoldMs: number; readonly clock?: Clock }) {
    this.#perSecond = options.perSecond;
    this.#maxHoldMs = options.maxHoldMs;
    this.#clock = options.clock ?? systemClock;
  }

  get state(): BudgetState {
    const { used, allowed } = this.#allowance.standing(this.#clock.monotonicMs()) ?? { used: 0, allowed: 0 };
    return { used, allowed, waitedMs: this.#waitedMs };
  }

  /** Which part of the budget is ours: `1 / n` where n processes share it. In force at once, for those that wait too. */
  setShare(share: number): void {
    if (!(share > 0 && share <= 1)) throw new RangeError(`A share is above 0 and at most 1, not ${share}.`);
    if (share === this.#share) return;
    this.#share = share;
    this.#allowance.setShare(share);
    this.#changed();
  }

  /**
   * Resolves when the call may go; rejects with the signal's reason. Calls that are not `counted` against the server's
   * limit, such as logins, keep to all else.
   */
  async turn(counted: boolean, signal?: AbortSignal): Promise<Turn> {
    const askedMs = this.#clock.monotonicMs();
    const turn = this.#tail.then(() => this.#wait(counted, signal));
    this.#tail = turn.catch(() => undefined);
    try {
      return await unlessAborted(turn, signal);
    } catch (error) {
      // It may be given all the same, to nobody.
      turn.then((late) => late.done()).catch(() => undefined);
      throw error;
    } finally {
      this.#waitedMs += this.#clock.monotonicMs() - askedMs;
    }
  }

  async #wait(counted: boolean, signal: AbortSignal | undefined): Promise<Turn> {
    for (;;) {
      signal?.throwIfAborted();
      const nowMs = this.#clock.monotonicMs();
      const allowedMs = counted ? this.#allowance.freeAtMs(nowMs) : nowMs;
      const freeMs = Math.max(this.#heldUntilMs, this.#spacedMs(nowMs), allowedMs);
      if (freeMs <= nowMs) {
        this.#recentMs.push(nowMs);
        return this.#given(counted, nowMs);
      }
      await this.#sleep(Math.ceil(freeMs - nowMs), signal);
    }
  }

  /** A share of few requests a second is one request in a longer time. */
  #spacedMs(nowMs: number): number {
    const perSecond = this.#perSecond * this.#share;
    const most = Math.max(1, Math.floor(perSecond));
    const spanMs = (most * 1000) / perSecond;
    this.#recentMs = this.#recentMs.filter((atMs) => atMs > nowMs - spanMs);
    return (this.#recentMs[this.#recentMs.length - most] ?? -Infinity) + spanMs;
  }

  #given(counted: boolean, nowMs: number): Turn {
    const grant = counted ? this.#allowance.grant(nowMs) : undefined;
    return {
      answered: (said, isRefusal) => {
        if (!isRefusal) this.#refusals.inRow = 0;
        if (!grant) return;
        this.#allowance.answered(grant, said, this.#clock.monotonicMs());
        this.#changed();
      },
      refused: (namedMs) => this.#refused(nowMs, namedMs),
      done: () => {
        if (!grant) return;
        this.#allowance.ended(grant);
        this.#changed();
      },
    };
  }

  #refused(grantedMs: number, namedMs: number | undefined): number {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#refusals;
    // Those that were on their way together are refused together, and are one refusal.
    const inRow = grantedMs <= last.atMs ? last.inRow : last.inRow + 1;
    const ms = Math.min(namedMs ?? unnamedWaitMs(inRow), this.#maxHoldMs);
    this.#refusals = { inRow, atMs: nowMs };
    this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + ms);
    this.#allowance.doubt(this.#heldUntilMs);
    return ms;
  }

  /** What was waited for may come sooner now. */
  #changed(): void {
    this.#change.abort();
    this.#change = new AbortController();
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const change = this.#change.signal;
    try {
      await this.#clock.sleep(ms, signal ? AbortSignal.any([signal, change]) : change);
    } catch (error) {
      signal?.throwIfAborted();
      if (!change.aborted) throw error;
    }
  }
}

function unnamedWaitMs(inRow: number): number {
  return Math.min(UNNAMED_WAIT_MS * 2 ** (inRow - 1), MAX_UNNAMED_WAIT_MS);
}
