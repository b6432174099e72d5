/** A rate falls to this share of itself with a refusal… */
const DECREASE = 0.85;
/** …and grows by this share of the rate that was refused last in each second in which the target takes it. */
const INCREASE_PER_S = 0.01;
/** The least growth, in requests per second each second: a very low rate would take hours to come back. */
const LEAST_INCREASE = 0.02;
/** After each such time without a refusal the growth doubles, up to sixteen times: a limit that was lifted is found. */
const FASTER_AFTER_MS = 30_000;
const MOST_DOUBLINGS = 4;
/** As far a rate is that was only guessed from what the target took: requests in flight were not counted then. */
const GUESSED_AHEAD_MS = 60_000;
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
 * The rate that a target takes, found by its 429 answers: AIMD, additive increase and multiplicative decrease, as TCP
 * has it. Until the first 429 nothing is limited here; that one shows what the target took in its best second of the
 * last ten, and requests are spaced out evenly a little below it; from there the rate creeps up until the next one.
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
    const doublings = Math.min(Math.floor((this.#cleanMs + this.#aheadMs) / FASTER_AFTER_MS), MOST_DOUBLINGS);
    const perSecond = Math.max(LEAST_INCREASE, INCREASE_PER_S * Math.max(this.#refusedAt, this.#rate));
    // Shared out over the requests of a second: what is not used does not grow.
    this.#rate = Math.min(this.#max, this.#rate + (perSecond * 2 ** doublings) / Math.max(this.#rate, 1));
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
    this.#aheadMs = guess < this.#rate && !this.#last.isSettled ? GUESSED_AHEAD_MS : 0;
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
