import type { OperationalError } from '@genesys-kafka/resilience';

/** A lane that is given to us may take this long to be claimed: a dead writer's transaction is waited for. */
const CLAIM_MS = 60_000;

/**
 * Whether a lane that is given to us is worked on, or lost again and again: a claim that succeeds proves little where, say,
 * the right to write the data topic is gone. Knows no clock: all times are given, of one monotonic clock.
 */
export class LaneHealth {
  /** Since when it has not been held for long, nor has anything been published. */
  #unsteadySinceMs: number | undefined;
  #heldSinceMs: number | undefined;
  #lost: OperationalError | undefined;
  /** Whether windows are in work while it is held. */
  #isAtWork: () => boolean = () => false;
  #losses = 0;

  constructor(givenMs: number) {
    this.#unsteadySinceMs = givenMs;
  }

  /** How often in a row it was lost. */
  get losses(): number {
    return this.#losses;
  }

  held(nowMs: number, isAtWork: () => boolean): void {
    this.#heldSinceMs = nowMs;
    this.#isAtWork = isAtWork;
  }

  /** No longer held; that may pass within the claim, as while brokers are away. */
  released(nowMs: number): void {
    this.#settle(nowMs);
    this.#heldSinceMs = undefined;
    this.#unsteadySinceMs ??= nowMs;
  }

  lost(error: OperationalError): void {
    this.#losses += 1;
    // Another holder is no failure: the group says soon whose it is.
    this.#lost = error.code === 'taken-over' ? undefined : error;
  }

  /** Records were committed: whatever it was lost for is over. */
  published(): void {
    this.#unsteadySinceMs = undefined;
    this.#lost = undefined;
    this.#losses = 0;
  }

  /** Why it is no lane that is worked on; undefined where it is, or may soon be. */
  trouble(nowMs: number): string | undefined {
    this.#settle(nowMs);
    if (this.#unsteadySinceMs === undefined) return undefined;
    const isLong = nowMs - this.#unsteadySinceMs > CLAIM_MS;
    if (this.#lost && (isLong || !this.#lost.retry)) return `is lost for ${this.#lost.code}`;
    return isLong && this.#heldSinceMs === undefined ? 'cannot be claimed' : undefined;
  }

  /** Held for long it is steady. A refusal ends only with a proof: something is published, or nothing is left to be. */
  #settle(nowMs: number): void {
    if (this.#heldSinceMs === undefined || nowMs - this.#heldSinceMs <= CLAIM_MS) return;
    if (this.#lost?.retry === false && this.#isAtWork()) return;
    this.published();
  }
}
