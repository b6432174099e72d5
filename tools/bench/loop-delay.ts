/** Imported into a measured process: writes at its end how late its event loop was, p99 in milliseconds. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env.BENCH_LOOP_DELAY;
/** The least that it tells apart. */
const RESOLUTION_MS = 5;
/** Until then modules are loaded, which nobody waits behind. */
const START_MS = 1000;

if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  setTimeout(() => delay.enable(), START_MS).unref();
  process.on('exit', () => writeFileSync(file, String(delay.percentile(99) / 1e6)));
}
