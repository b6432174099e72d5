export interface ClockStart {
  /** The organisation's time at the start, ms since the epoch. Absent: the real time. */
  readonly startMs?: number | undefined;
  /** Its seconds in a real one. 0: it stands still until it is set. */
  readonly speed: number;
}

/** The organisation's time, by which conversations live: the real time, or one of its own that may run faster. */
export class OrganisationClock {
  readonly #realMs: () => number;
  #sinceMs: number;
  #baseMs: number;
  #speed: number;

  constructor(realMs: () => number, start: ClockStart = { speed: 1 }) {
    this.#realMs = realMs;
    this.#sinceMs = realMs();
    this.#baseMs = start.startMs ?? this.#sinceMs;
    this.#speed = start.speed;
  }

  get speed(): number {
    return this.#speed;
  }

  nowMs(): number {
    return Math.floor(this.#baseMs + (this.#realMs() - this.#sinceMs) * this.#speed);
  }

  /**
   * Goes on from this time, at this speed; what is left out stays.
   * @throws RangeError for a time that is over: what was answered about it would no longer be true.
   */
  set(change: { readonly nowMs?: number | undefined; readonly speed?: number | undefined }): void {
    const nowMs = this.nowMs();
    const nextMs = change.nowMs ?? nowMs;
    if (nextMs < nowMs) throw new RangeError(`the clock is past it, at ${new Date(nowMs).toISOString()}`);
    this.#sinceMs = this.#realMs();
    this.#baseMs = nextMs;
    this.#speed = change.speed ?? this.#speed;
  }
}
