import type { RateHeaders } from './rate-headers.ts';

/** A call that was let go; it counts as on its way until its answer begins or it fails. */
export interface Grant {
  readonly atMs: number;
}

/** A window of the server's, as far as its answers tell of it. */
interface Window {
  allowed: number;
  /** The highest count that an answer told, */
  count: number;
  /** and calls that ended since without telling one: they may have been counted after it. */
  untold: number;
  /** Of the count, what others and calls before this share was set have used; `sent` are the calls since. */
  base: number;
  sent: number;
  /** Earlier calls may belong to the window before. */
  readonly startMs: number;
  /** It ends between these moments; of a window that no answer told of yet, the first is -Infinity. */
  endFromMs: number;
  endToMs: number;
}

/** Genesys' windows and, where it does not tell it, its allowance (docs/genesys-cloud.md, "Rate limits"). */
const WINDOW_MS = 60_000;
const DEFAULT_ALLOWED = 300;
/** For calls of others that no answer has told of yet; of a small allowance nothing, or it could never be used. */
const reserveOf = (allowed: number) => Math.min(10, Math.floor(allowed * 0.02));
/** So long a first answer is waited for, to know where the window stands. */
const PROBE_MS = 1000;

/**
 * When the next call may go, so that a limit of so many requests a window is not met: fast while half of the window's
 * requests are left, then the rest is spread over the rest of the window. Where nobody has told how the window stands
 * (at first, in a new window, after a refusal), one call at a time goes ahead, for a second at most. Knows no clock:
 * all times are given, of one monotonic clock.
 */
export class Allowance {
  #window: Window | undefined;
  #share = 1;
  #lastMs = -Infinity;
  readonly #onItsWay = new Set<Grant>();
  #probe: { readonly fromMs: number; firstMs?: number } | undefined = { fromMs: -Infinity };

  /** As the server counts: all who use the token. Undefined until an answer told, or should have told, of a limit. */
  standing(nowMs: number): { readonly used: number; readonly allowed: number } | undefined {
    if (!this.#window) return undefined;
    const { allowed, count, untold, endToMs } = this.#window;
    return { allowed, used: (nowMs < endToMs ? count + untold : 0) + this.#onItsWay.size };
  }

  /** From 0 to 1, the part of all that is allowed that may be used here. At least one call a window always may go. */
  setShare(share: number): void {
    this.#share = share;
    const window = this.#window;
    if (window) Object.assign(window, { base: window.count + window.untold + this.#onItsWay.size, sent: 0 });
  }

  /** The moment from which a call may go; it may become an earlier one with the next answer. */
  freeAtMs(nowMs: number): number {
    if (this.#window && nowMs >= this.#window.endToMs) {
      this.#begin({ allowed: this.#window.allowed, count: 0, endFromMs: -Infinity, endToMs: nowMs + WINDOW_MS }, nowMs);
      this.doubt(nowMs);
    }
    return Math.max(this.#probedAtMs(), this.#pacedAtMs());
  }

  grant(nowMs: number): Grant {
    const grant = { atMs: nowMs };
    this.#lastMs = nowMs;
    this.#onItsWay.add(grant);
    if (this.#window) this.#window.sent += 1;
    if (this.#probe && nowMs >= this.#probe.fromMs) this.#probe.firstMs ??= nowMs;
    return grant;
  }

  /** From this moment on nothing is certain until an answer comes to a call that was made after it. */
  doubt(fromMs: number): void {
    this.#probe = { fromMs };
  }

  /** A call's answer has begun. */
  answered(grant: Grant, said: RateHeaders | 'absent' | 'unreadable', nowMs: number): void {
    if (!this.#onItsWay.delete(grant)) return;
    if (this.#probe && grant.atMs >= this.#probe.fromMs) this.#probe = undefined;
    if (said === 'unreadable' && !this.#window) {
      // A limit there is: it is counted here until it can be read.
      this.#begin({ allowed: DEFAULT_ALLOWED, count: 0, endFromMs: -Infinity, endToMs: nowMs + WINDOW_MS }, nowMs);
    }
    if (typeof said === 'string') this.#countUntold();
    else this.#learn(grant, said, nowMs);
  }

  /** A call has ended; without an answer it may have been counted or not. */
  ended(grant: Grant): void {
    if (this.#onItsWay.delete(grant)) this.#countUntold();
  }

  #countUntold(): void {
    if (this.#window) this.#window.untold += 1;
  }

  #learn(grant: Grant, { count, allowed, resetSeconds }: RateHeaders, nowMs: number): void {
    const window = this.#window;
    // Seconds may be rounded either way, and the answer was written at some time since the call.
    const endFromMs = grant.atMs + (resetSeconds - 1) * 1000;
    const endToMs = nowMs + (resetSeconds + 1) * 1000;
    const isGuess = window?.endFromMs === -Infinity;
    const isOlder = window !== undefined && endToMs < (isGuess ? window.endToMs : window.endFromMs);
    if (isOlder && grant.atMs < window.startMs) return;
    if (!window || isGuess || isOlder || endFromMs > window.endToMs) {
      this.#begin({ allowed, count, endFromMs, endToMs }, grant.atMs);
      return;
    }
    window.allowed = allowed;
    window.count = Math.max(window.count, count);
    window.untold = 0;
    window.endFromMs = Math.max(window.endFromMs, endFromMs);
    window.endToMs = Math.min(window.endToMs, endToMs);
  }

  #begin(known: Pick<Window, 'allowed' | 'count' | 'endFromMs' | 'endToMs'>, startMs: number): void {
    this.#window = { ...known, startMs, untold: 0, base: known.count, sent: 0 };
  }

  #probedAtMs(): number {
    const { fromMs, firstMs } = this.#probe ?? {};
    if (fromMs === undefined || firstMs === undefined) return -Infinity;
    const isAsking = [...this.#onItsWay].some(({ atMs }) => atMs >= fromMs);
    return isAsking ? firstMs + PROBE_MS : -Infinity;
  }

  #pacedAtMs(): number {
    if (!this.#window) return -Infinity;
    const { allowed, base, sent, count, untold, endToMs } = this.#window;
    const usable = allowed - reserveOf(allowed);
    const share = Math.max(this.#share, 1 / usable);
    // The others have as many calls on their way as their share is larger.
    const left = Math.min(share * (usable - base) - sent, share * (usable - count) - untold - this.#onItsWay.size);
    if (left < 1) return endToMs;
    if (left > (share * usable) / 2) return -Infinity;
    return this.#lastMs + (endToMs - this.#lastMs) / (left + 1);
  }
}
