/**
 * What ends a request before its answer: its time, or an abort of whoever wants it. An AbortController with its
 * listeners would cost more than all else that is done here for a request.
 */
export class Ending {
  /** Why; undefined while the request may go on. */
  reason: Error | undefined;
  /** Called once, when the request is to end. */
  onEnd: (() => void) | undefined;

  end(reason: Error): void {
    if (this.reason) return;
    this.reason = reason;
    this.onEnd?.();
  }
}

/** Ends requests when their signals abort, with one listener for all of a signal's. */
export class Endings {
  readonly #bySignal = new WeakMap<AbortSignal, Set<Ending>>();

  /** Until `forget`. */
  follow(signal: AbortSignal, ending: Ending): void {
    this.#of(signal).add(ending);
  }

  forget(signal: AbortSignal, ending: Ending): void {
    this.#of(signal).delete(ending);
  }

  #of(signal: AbortSignal): Set<Ending> {
    const known = this.#bySignal.get(signal);
    if (known) return known;
    const endings = new Set<Ending>();
    this.#bySignal.set(signal, endings);
    const onAbort = () => {
      for (const ending of endings) ending.end(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return endings;
  }
}
