/** A rate falls to this share of itself with a refusal… */
const DECREASE = 0.85;
/** …and is back at the rate that was refused after this long without one, faster at first than at the end. */
const BACK_AFTER_MS = 6000;
/** From there it grows by this share of itself in each second… */
const PROBE_PER_S = 0.0035;
/** …which doubles in this time: a limit that stands is touched softly, one that was lifted is found in half a minute. */
const PROBE_DOUBLES_MS = 1250;
/** The most that a rate grows in a second: it doubles. */
const MOST_PER_S = 0.7;
/** The least growth, in requests per second each second: a very low rate would take hours to come back. */
const LEAST_INCREASE = 0.02;
/** A rate that fell by more than half was guessed from what the target took, and may be far too low: so far it starts ahead. */
const GUESSED_AHEAD_MS = BACK_AFTER_MS + 5 * PROBE_DOUBLES_MS;
/** A target that took a rate for this long refuses what is a little too much, and no burst. */
const SETTLED_MS = 3000;
/** A best second of fewer tells how little there was to send. Too high a guess costs a few refusals, too low a one minutes. */
const LEAST_GUESS = 10;
/** Timers come late: so much of what they lost may be made up for. */
const LATE_MS = 50;
/** What a target takes is counted in spans of this length, of which the last ten seconds are kept. */
const SPAN_MS = 100;
const SECOND_MS = 1000;
const SPANS_PER_S = SECOND_MS / SPAN_MS;
const SPANS = 10 * SPANS_PER_S;
/** Time without answers, as in a hold, does not count as time in which the target took what it was sent. */
const LONGEST_GAP_MS = 1000;

/** What a 429 tells. */
export interface Refusal {
  /** The target had taken something since the decrease before; where it had not, going slower was of no use. */
  readonly isExplained: boolean;
  /** It had taken nearly this rate for a while: to go on a little slower will do. */
  readonly isSettled: boolean;
}

export interface AdaptiveRateOptions {
  /** Requests per second that are tried whatever the target answers. */
  readonly floor: number;
  /** The configured rate in requests per second; Infinity where none is. */
  readonly max: number;
}

/**
 * The rate that a target takes, found by its 429 answers: multiplicative decrease and an increase in the shape of a
 * cubic, as CUBIC TCP has it. Until the first 429 nothing is limited here; that one shows what the target took in its
 * best second of the last ten, and requests are spaced out evenly a little below it; from there the rate comes back to
 * what was refused, lingers, and goes beyond it ever faster until the next one.
 * Answers to requests that left before the last decrease speak of the rate before it and lower nothing.
 * Pure: the caller brings the monotonic time.
 */
export class AdaptiveRate {
  readonly #floor: number;
  readonly #max: number;
  #rate: number;
  /** The rate at the last refusal: what growth is measured by. */
  #refusedAt = 0;
  #decreasedMs = -Infinity;
  #last: Refusal = { isExplained: false, isSettled: false };
  /** Requests taken that left after the last decrease. */
  #hasTaken = false;
  /** Time without a refusal in which the target took what it was sent. */
  #cleanMs = 0;
  #aheadMs = 0;
  #takenMs = 0;
  #nextMs = -Infinity;
  readonly #taken = new Float64Array(SPANS);
  #span = 0;

  constructor({ floor, max }: AdaptiveRateOptions) {
    this.#floor = Math.min(floor, max);
    this.#max = max;
    this.#rate = max;
  }

  /** Requests per second; undefined while the target has given no reason for less than what is configured. */
  get perSecond(): number | undefined {
    return this.#rate < this.#max ? this.#rate : undefined;
  }

  /** Milliseconds until the next request may start; 0 where it may now. */
  waitMs(nowMs: number): number {
    return this.#rate < this.#max ? Math.max(0, this.#nextMs - nowMs) : 0;
  }

  started(nowMs: number): void {
    if (this.#rate < this.#max) this.#nextMs = Math.max(this.#nextMs, nowMs - LATE_MS) + 1000 / this.#rate;
  }

  /** The target took a request that left at `startedMs`. */
  taken(startedMs: number, nowMs: number): void {
    this.#moveTo(nowMs);
    this.#taken[this.#span % SPANS]! += 1;
    if (startedMs <= this.#decreasedMs) return;
    this.#hasTaken = true;
    if (this.#rate >= this.#max) return;
    this.#cleanMs += Math.min(nowMs - this.#takenMs, LONGEST_GAP_MS);
    this.#takenMs = nowMs;
    const perSecond = Math.max(LEAST_INCREASE, this.#growth() * Math.max(this.#refusedAt, this.#rate));
    // Shared out over the requests of a second: what is not used does not grow.
    this.#rate = Math.min(this.#max, this.#rate + perSecond / Math.max(this.#rate, 1));
  }

  /** The share by which the rate grows in a second: down to nearly nothing at the rate that was refused, then up again. */
  #growth(): number {
    const beyondMs = this.#cleanMs + this.#aheadMs - BACK_AFTER_MS;
    if (beyondMs >= 0) return Math.min(MOST_PER_S, PROBE_PER_S * 2 ** (beyondMs / PROBE_DOUBLES_MS));
    const left = beyondMs / BACK_AFTER_MS;
    return Math.max(PROBE_PER_S, (3 * (1 - DECREASE) * left * left * SECOND_MS) / BACK_AFTER_MS);
  }

  /** The target answered 429 to a request that left at `startedMs`. */
  refused(startedMs: number, nowMs: number): Refusal {
    if (startedMs <= this.#decreasedMs) return this.#last;
    // What it counts a second by is still full of what was sent before: that is waited out.
    if (this.#hasTaken && nowMs - this.#decreasedMs < SECOND_MS) return { isExplained: true, isSettled: false };
    this.#moveTo(nowMs);
    this.#last = { isExplained: this.#hasTaken, isSettled: this.#cleanMs >= SETTLED_MS };
    const best = this.#bestSecond();
    const guess = best > 0 ? Math.max(best, LEAST_GUESS) : Infinity;
    this.#aheadMs = 2 * guess < this.#rate ? GUESSED_AHEAD_MS : 0;
    this.#rate = Math.min(this.#rate, guess);
    if (Number.isFinite(this.#rate)) {
      this.#refusedAt = this.#rate;
      this.#rate = Math.max(this.#floor, this.#rate * DECREASE);
    }
    this.#decreasedMs = nowMs;
    this.#hasTaken = false;
    this.#cleanMs = 0;
    this.#takenMs = nowMs;
    this.#nextMs = Math.max(this.#nextMs, nowMs + 1000 / this.#rate);
    return this.#last;
  }

  /** Empties the spans that have passed since the last answer. */
  #moveTo(nowMs: number): void {
    const span = Math.floor(nowMs / SPAN_MS);
    const passed = Math.min(span - this.#span, SPANS);
    for (let i = 1; i <= passed; i += 1) this.#taken[(this.#span + i) % SPANS] = 0;
    this.#span = Math.max(span, this.#span);
  }

  #bestSecond(): number {
    let [best, sum] = [0, 0];
    for (let i = 1; i <= SPANS; i += 1) {
      sum += this.#taken[(this.#span + i) % SPANS]!;
      if (i > SPANS_PER_S) sum -= this.#taken[(this.#span + i - SPANS_PER_S) % SPANS]!;
      best = Math.max(best, sum);
    }
    return best;
  }
}
