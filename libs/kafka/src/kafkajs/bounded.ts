import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `work` settles or after `ms`, whichever comes first; never rejects. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  try {
    await Promise.race([settled, delay(ms, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
