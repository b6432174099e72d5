import { backoffMs, OperationalError, type Clock } from '@genesys-kafka/resilience';
import type { JobContract } from '../genesys/job-contract.ts';

const TROUBLE = { initialMs: 5000, factor: 2, maxMs: 60_000, jitterMs: 1000 };

/** Of the login that all windows share: it may be good again by the time that Genesys is asked. */
const LOGIN_FAILURES = new Set(['login-failed', 'login-unusable']);

interface WatermarkOptions {
  readonly contract: Pick<JobContract, 'ask'>;
  readonly checkEveryMs: number;
  readonly clock: Clock;
  /** This machine's clock may be so far ahead. */
  readonly maxSkewMs: number;
  /** It has moved, or Genesys has come or gone. */
  readonly onChange: () => void;
}

/**
 * Until when data is complete, as Genesys says it; where a contract cannot tell, until what is over by any clock. While
 * Genesys does not answer, or refuses our login, there is `trouble`, and no window is begun: none of them is to blame.
 */
export class Watermark {
  readonly #options: WatermarkOptions;
  #untilMs: number | undefined;
  #latestMs = -Infinity;
  #trouble: OperationalError | undefined;

  constructor(options: WatermarkOptions) {
    this.#options = options;
  }

  /** Undefined until Genesys has answered once. */
  get untilMs(): number | undefined {
    return this.#untilMs;
  }

  /** By how much it has gone back from the latest that was told: windows in between are not begun before it is there again. */
  get backByMs(): number {
    return this.#untilMs === undefined ? 0 : this.#latestMs - this.#untilMs;
  }

  get trouble(): OperationalError | undefined {
    return this.#trouble;
  }

  /** Asks again and again until `signal` aborts, and rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, checkEveryMs } = this.#options;
    for (let attempt = 0; ;) {
      await this.#check(signal);
      attempt = this.#trouble ? attempt + 1 : 0;
      const patienceMs = attempt === 0 ? Infinity : backoffMs(TROUBLE, attempt - 1);
      await clock.sleep(Math.min(checkEveryMs, patienceMs), signal);
    }
  }

  /**
   * Whether a failure is a window's own: Genesys answers to others. Where it does not, there is trouble until it does.
   * By a contract that tells no date only the login can be tried, so what may not go well later counts as trouble, too.
   */
  async isWindowsOwn(error: OperationalError, signal: AbortSignal): Promise<boolean> {
    const isTold = await this.#check(signal);
    if (!isTold && !error.retry) this.#set(error);
    return this.#trouble === undefined && !LOGIN_FAILURES.has(error.code);
  }

  /** Resolves with whether the contract can tell. */
  async #check(signal: AbortSignal): Promise<boolean> {
    const { contract, clock, maxSkewMs } = this.#options;
    try {
      const until = await contract.ask(signal);
      // Windows that are still to come would be read as empty, and as read.
      const nowMs = clock.nowMs();
      const untilMs = until ? Math.min(until.getTime(), nowMs) : nowMs - maxSkewMs;
      const isNews = untilMs !== this.#untilMs;
      this.#untilMs = untilMs;
      this.#latestMs = Math.max(this.#latestMs, untilMs);
      this.#set(undefined, isNews);
      return until !== undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      this.#set(error);
      return true;
    }
  }

  #set(trouble: OperationalError | undefined, isNews = false): void {
    const hasChanged = trouble?.code !== this.#trouble?.code;
    this.#trouble = trouble;
    if (hasChanged || isNews) this.#options.onChange();
  }
}
