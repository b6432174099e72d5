import type { Stack } from '@genesys-kafka/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { Scene, until } from './scene.ts';

const WINDOWS = 20;
const RECORDS = 36_000;
const PER_MINUTE = 300;

/**
 * Twenty windows at a time against a token's 300 requests a minute, by one process or by several that divide them: refusals,
 * those of the first second apart, and how much of what was allowed was used.
 */
export async function budget(stack: Stack, processes: number, signal: AbortSignal): Promise<object> {
  const days = ['--records', String(RECORDS), '--from', '2025-10-01', '--to', `2025-10-${WINDOWS + 1}`];
  const more = ['--availability', `2025-10-${WINDOWS + 1}T00:00:00Z`, '--rate', String(PER_MINUTE), '--job-ms', '500'];
  const config = `genesys: { pageSize: 100, concurrentJobs: ${Math.ceil(WINDOWS / processes)} }
windows: { from: 2025-10-01, size: 1d, checkEvery: 1m, rereads: [] }
`;
  await using scene = await Scene.start(stack, { simulator: [...days, ...more], config });
  const requests = async () => {
    const counts = Object.values((await scene.simulator.stats()).requests).flatMap((one) => Object.values(one));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const refused = async () => (await scene.simulator.stats()).limits['token-rate']!.refused;
  for (let n = 0; n < processes; n += 1) scene.fleet.start();
  await until(async () => (await requests()) > 0, signal);
  const startedMs = performance.now();
  await delay(1000, undefined, { signal });
  const atFirst = await refused();
  await scene.untilDone(WINDOWS, signal);
  const seconds = (performance.now() - startedMs) / 1000;
  const { jobs } = await scene.simulator.stats();
  const all = await requests();
  const after = (await refused()) - atFirst;
  await scene.stop();
  const share = all / ((Math.floor(seconds / 60) + 1) * PER_MINUTE);
  return {
    budget: {
      processes,
      windows: WINDOWS,
      openAtMost: jobs.openAtMost,
      requests: all,
      seconds,
      refused: { atFirst, after },
      share,
    },
  };
}
