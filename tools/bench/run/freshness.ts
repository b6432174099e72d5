import type { Stack } from '@genesys-kafka/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { follow, untilThere } from '../../src/living/topic-reader.ts';
import { Scene, until } from './scene.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WINDOWS = 36;
/** An hour in 4.3 s: windows and checks do not keep step. */
const SPEED = 837;
const CHECK_MS = 5000;
const LAG_MS = 2 * HOUR_MS;

/**
 * From the moment in which a window's last conversation is available until a `read_committed` reader has its records,
 * record by record. What is over one `checkEvery` and the job's own time is told apart.
 */
export async function freshness(stack: Stack, jobMs: number, signal: AbortSignal): Promise<object> {
  const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - 4 * DAY_MS;
  const iso = (ms: number) => new Date(ms).toISOString();
  const organisation = ['--living', '--per-day', '2400', '--from', iso(fromMs), '--to', iso(fromMs + 3 * DAY_MS)];
  const time = ['--clock', iso(fromMs), '--speed', '0', '--availability-lag', String(LAG_MS / 1000)];
  const config = `genesys: { concurrentJobs: 10 }
windows: { from: ${iso(fromMs)}, size: 1h, checkEvery: ${CHECK_MS / 1000}s, rereads: [] }
`;
  const simulator = [...organisation, ...time, '--rate', '100000', '--job-ms', String(jobMs)];
  await using scene = await Scene.start(stack, { simulator, config });
  scene.fleet.start();
  const topic = `${scene.prefix}conversation-details`;
  await untilThere(scene.kafka, topic, signal);
  const delays: number[] = [];
  const seen = new Set<string>();
  let startedMs = Infinity;
  await using watch = await follow(scene.kafka, topic, ({ headers }) => {
    const window = String(headers?.window);
    seen.add(window);
    const availableMs = startedMs + (Date.parse(window.split('/')[1]!) + LAG_MS - fromMs) / SPEED;
    delays.push(Date.now() - availableMs);
  });
  // It holds its lanes by then.
  await delay(10_000, undefined, { signal });
  await scene.simulator.setClock({ speed: SPEED });
  startedMs = Date.now();
  await until(async () => Promise.resolve(seen.size >= WINDOWS), signal);
  watch.end();
  await scene.stop();
  delays.sort((a, b) => a - b);
  const at = (share: number) => Math.round(delays[Math.ceil(share * delays.length) - 1]!) / 1000;
  const seconds = { median: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
  const over = Math.round(seconds.most * 1000 - CHECK_MS - jobMs) / 1000;
  return { freshness: { jobMs, checkMs: CHECK_MS, windows: seen.size, records: delays.length, seconds, over } };
}
