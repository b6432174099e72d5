/** What `work` settles with, if that is within `ms`; otherwise rejects with `late()`. `work` itself is not ended. */
export async function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(late()), ms);
  try {
    return await Promise.race([work, deadline.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** Resolves when `work` has settled, well or badly, or after `ms`. Never rejects. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  await within(work, ms, () => new Error('late')).catch(() => undefined);
}

/** What `work` settles with, or the signal's reason as soon as that aborts. `work` itself is not ended. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const over = new AbortController();
  try {
    return await Promise.race([work, untilAborted(signal, over.signal)]);
  } finally {
    over.abort();
    work.catch(() => undefined);
  }
}

/** Never resolves; rejects with the signal's reason. `forget` takes the listener off. */
export async function untilAborted(signal: AbortSignal, forget?: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), {
      once: true,
      ...(forget ? { signal: forget } : {}),
    });
  });
}
