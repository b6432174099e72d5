import type { Clock } from '@genesys-kafka/resilience';

interface WatchdogOptions {
  readonly clock: Clock;
  /** No byte for so long is a stall. */
  readonly idleTimeoutMs: number;
  /** Fewer bytes a second than this over `idleTimeoutMs` is a stall too: one byte now and then keeps no slot. */
  readonly minBytesPerSecond: number;
}

/**
 * Watches one response. A total time-out would punish large files; what counts is that bytes keep coming. Before the
 * first byte only the idle rule holds, which also catches a connection whose other end is gone.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #lastByteMs: number;
  #windowStartMs: number | undefined;
  #windowBytes = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastByteMs = options.clock.monotonicMs();
  }

  received(bytes: number): void {
    this.#lastByteMs = this.#options.clock.monotonicMs();
    this.#windowStartMs ??= this.#lastByteMs;
    this.#windowBytes += bytes;
  }

  /** Resolves with what is wrong once something is; rejects when `signal` aborts. */
  async watch(signal: AbortSignal): Promise<string> {
    const { clock, idleTimeoutMs } = this.#options;
    for (;;) {
      await clock.sleep(Math.max(1, idleTimeoutMs / 4), signal);
      const fault = this.#fault(clock.monotonicMs());
      if (fault !== undefined) return fault;
    }
  }

  #fault(nowMs: number): string | undefined {
    const { idleTimeoutMs, minBytesPerSecond } = this.#options;
    if (nowMs - this.#lastByteMs >= idleTimeoutMs) return `sent nothing for ${idleTimeoutMs} ms`;
    if (this.#windowStartMs === undefined || nowMs - this.#windowStartMs < idleTimeoutMs) return undefined;
    const perSecond = (this.#windowBytes * 1000) / (nowMs - this.#windowStartMs);
    if (perSecond < minBytesPerSecond)
      return `sent ${Math.round(perSecond)} bytes a second, fewer than ${minBytesPerSecond}`;
    this.#windowStartMs = nowMs;
    this.#windowBytes = 0;
    return undefined;
  }
}
