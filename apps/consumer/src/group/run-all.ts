/** Something that works until it is told to stop. */
export interface Runner {
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs all until `signal` aborts or `finished` resolves; then stops them and waits for each to end in order. The first
 * failure stops the others too, and is what this rejects with once they have ended.
 */
export async function runAll(
  runners: readonly Runner[],
  signal: AbortSignal,
  finished: (stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const failures: unknown[] = [];
  const task = async (work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      if (stop.signal.aborted && error === stop.signal.reason) return;
      failures.push(error);
      stop.abort(error);
    }
  };
  const watch = finished(stop.signal).then(() => stop.abort(new Error('finished')));
  try {
    await Promise.all([...runners.map(async (runner) => task(runner.run(stop.signal))), task(watch)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (failures.length > 0) throw failures[0];
}
