import type { Stack } from '@genesys-kafka/testing';
import { Scene } from './scene.ts';

const DAYS = 12;
const RECORDS = 12_000;
const PAGE = 100;
/** Of each page. */
const LATENCY_MS = 600;

/**
 * A backfill of twelve one-day windows by one process, and by three. A process is made the limit by what it waits for:
 * one window at a time, whose pages come 0.6 s late. Seconds from the start of the processes, their joining
 * included, until the last window is done.
 */
export async function scaleOut(stack: Stack, signal: AbortSignal): Promise<object> {
  const seconds: Record<string, number> = {};
  for (const processes of [1, 3]) seconds[processes] = await backfill(stack, processes, signal);
  return { scaleOut: { windows: DAYS, records: RECORDS, seconds, times: seconds[1]! / seconds[3]! } };
}

async function backfill(stack: Stack, processes: number, signal: AbortSignal): Promise<number> {
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', `2025-10-${DAYS + 1}`];
  const more = ['--availability', `2025-10-${DAYS + 1}T00:00:00Z`, '--rate', '1000000', '--job-ms', '0'];
  const config = `genesys: { pageSize: ${PAGE}, concurrentJobs: 1 }
windows: { from: 2025-10-01, size: 1d, checkEvery: 1s, rereads: [] }
`;
  await using scene = await Scene.start(stack, { simulator: [...days, ...more, '--short-pages', '0'], config });
  await scene.simulator.addFault({ on: 'results', times: 'always', do: { kind: 'latency', ms: LATENCY_MS } });
  const startedMs = performance.now();
  for (let n = 0; n < processes; n += 1) scene.fleet.start();
  await scene.untilDone(DAYS, signal);
  const seconds = (performance.now() - startedMs) / 1000;
  await scene.stop();
  process.stderr.write(`  ${processes} processes: ${seconds.toFixed(1)} s\n`);
  return seconds;
}
