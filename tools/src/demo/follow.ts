import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { IntervalState } from '@genesys-kafka/job-poller';
import type { Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { SimulatorProcess } from '../living/simulator-process.ts';
import { prove } from '../living/proof.ts';
import { follow, untilThere } from '../living/topic-reader.ts';
import type { Verdict } from '../living/verdict.ts';
import { Windows } from '../living/windows.ts';
import type { Finished, Processes } from './processes.ts';
import { Readings } from './readings.ts';
import { StageFailedError, stackEnv } from './stage.ts';

export interface FollowOptions {
  /** Whole days that go by. */
  readonly days: number;
  /** The organisation's seconds in a real one. */
  readonly speed: number;
  readonly perDay: number;
}

/** What `producer run` reports at its end, as far as it is read here. */
interface RunReport {
  readonly windows: { readonly done: number; readonly failed: number; readonly split: number };
  readonly records: {
    readonly read: number;
    readonly published: number;
    readonly invalid: number;
    readonly unchanged: number;
  };
  readonly inWork: readonly unknown[];
  readonly isWhole: boolean;
}

/** How an organisation was followed, and what a reader of its own found on the topic. */
export interface Followed {
  readonly report: RunReport;
  readonly run: Finished;
  /** From SIGTERM to its end. */
  readonly stopSeconds: number;
  readonly readings: Readings;
  readonly verdict: Verdict;
  /** The status for people, while nothing was left to be read. */
  readonly status: string;
}

const DAY_MS = 86_400_000;
const TICK_MS = 250;
const TELL_MS = 4000;
/** The organisation's data is available two hours late, in quarters of an hour. */
const LAG_MS = 2 * 3_600_000;
const EVENING_MS = 6 * 3_600_000;
/** The connector, and the prefix of its topics: new ones each time, as the organisation is a new one. */
export const FOLLOWED = { name: 'demo-run', prefix: `demo-run-${randomBytes(3).toString('hex')}.` };

/** As `producer status` shows them. */
const SIGNS: Readonly<Record<IntervalState, string>> = {
  published: '█',
  provisional: '▓',
  pending: '·',
  failed: '!',
  missing: '?',
};

const iso = (ms: number) => new Date(ms).toISOString();
const say = (text: string) => process.stderr.write(`${text}\n`);

/**
 * Days of an organisation, sped up, that `producer run` follows. They end a day before the last midnight, and then
 * nothing changes any more: what is read after that is how it is.
 */
export async function followOrganisation(
  { days, speed, perDay }: FollowOptions,
  stack: Stack,
  dir: string,
  processes: Processes,
  signal: AbortSignal,
): Promise<Followed> {
  const nowMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const toMs = nowMs - DAY_MS;
  const fromMs = toMs - days * DAY_MS;
  await using simulator = await SimulatorProcess.start(simulatorArgs(fromMs, toMs, perDay), {});
  const config = join(dir, 'run.yaml');
  await writeFile(config, configText(fromMs));
  const env = { ...simulator.env, CONNECTOR_NAME: FOLLOWED.name, SPOOL_DIR: dir };
  const all = stackEnv(stack, { prefix: FOLLOWED.prefix, env });
  const run = processes.launch('producer', ['run', '--json', '--config', config], all, signal, true);
  const ends = run.finished.then((finished) => {
    throw new StageFailedError('producer run', finished);
  });
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const [windows, readings] = [new Windows(), new Readings()];
  const ask = async (...more: string[]) =>
    (await processes.run('producer', ['status', ...more, '--config', config], all, signal)).stdout;
  const scene = { simulator, windows, readings, ask, fromMs, toMs };
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const going = async () => {
    await using watch = await watchLedger(kafka, scene, until);
    await liveThrough(scene, speed, until);
    await settle(scene, nowMs, until);
    watch.end();
    return await ask();
  };
  const status = await Promise.race([going(), ends]).finally(() => over.abort());
  ends.catch(() => undefined);
  const startedMs = performance.now();
  run.child.kill('SIGTERM');
  const finished = await run.finished;
  const stopSeconds = (performance.now() - startedMs) / 1000;
  if (finished.status !== 0) throw new StageFailedError('producer run', finished);
  const truth = simulator.truth({ from: iso(fromMs), to: iso(nowMs), at: iso(toMs), matching: 'overlap' });
  const about = { matching: 'overlap' as const, fromMs, toMs: nowMs };
  const verdict = await prove(kafka, `${FOLLOWED.prefix}conversation-details`, truth, about, signal);
  const report = JSON.parse(finished.stdout) as RunReport;
  return { report, run: finished, stopSeconds, readings, verdict, status };
}

interface Scene {
  /** `producer status`, with more arguments. */
  readonly ask: (...more: string[]) => Promise<string>;
  readonly simulator: SimulatorProcess;
  readonly windows: Windows;
  readonly readings: Readings;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Resolves once the run has its lanes; from then on what it commits is seen. */
async function watchLedger(kafka: kafkajs.Kafka, { windows, readings }: Scene, signal: AbortSignal) {
  const topic = `${FOLLOWED.prefix}export-ledger`;
  await untilThere(kafka, topic, signal);
  const watch = await follow(kafka, topic, ({ key, value }) => {
    windows.add(String(key), value);
    readings.add(String(key), value);
  });
  while (readings.lanes.size < 12) await delay(TICK_MS, undefined, { signal });
  return watch;
}

/** The days go by. The last evening waits until something was read of them: what changes after that is seen to be late. */
async function liveThrough(scene: Scene, speed: number, signal: AbortSignal): Promise<void> {
  const { readings, simulator, toMs } = scene;
  await simulator.setClock({ speed });
  await untilClock(toMs - EVENING_MS, scene, signal);
  while (readings.first.readings < 2) await delay(TICK_MS, undefined, { signal });
  await simulator.setClock({ speed });
  await untilClock(toMs, scene, signal);
}

/** Tells every few seconds how it stands, until the clock is there; then it stands still. */
async function untilClock(atMs: number, scene: Scene, signal: AbortSignal): Promise<void> {
  const { simulator } = scene;
  let toldMs = performance.now();
  let telling = Promise.resolve();
  for (;;) {
    const { now } = await simulator.clock();
    if (Date.parse(now) >= atMs) break;
    if (performance.now() - toldMs >= TELL_MS) {
      toldMs = performance.now();
      telling = telling.then(async () => tell(`${now.slice(0, 10)} ${now.slice(11, 16)}`, scene));
      telling.catch(() => undefined);
    }
    await delay(TICK_MS, undefined, { signal });
  }
  await simulator.setClock({ speed: 0 });
  await telling;
}

/** A day later all windows are due once more that were not read with data of the end. Resolves when they are. */
async function settle(scene: Scene, untilMs: number, signal: AbortSignal): Promise<void> {
  const { simulator, windows, fromMs, toMs } = scene;
  const { now } = await simulator.clock();
  await simulator.setClock({ now: iso(Math.max(untilMs + LAG_MS, Date.parse(now))) });
  while (windows.unread(fromMs, untilMs, toMs + 1).length > 0) await delay(TICK_MS, undefined, { signal });
  await tell('a day later', scene);
}

/** A line: the organisation's time, the strip of its days, what was read, and what had changed behind our back. */
async function tell(when: string, { ask, readings: { first, again } }: Scene): Promise<void> {
  const { run } = JSON.parse(await ask('--json')) as { readonly run?: { readonly days: readonly IntervalState[] } };
  const strip = (run?.days ?? []).map((state) => SIGNS[state]).join('');
  const count = (n: number, width: number) => n.toLocaleString('en-US').padStart(width);
  const news = `${count(again.published, 5)} of ${count(again.read, 6)} records are new or changed`;
  const more = again.readings === 0 ? '' : `  ${count(again.readings, 3)} again: ${news}`;
  say(`  ${when.padEnd(16)}   ${strip}  ${count(first.readings, 3)} windows read${more}`);
}

function simulatorArgs(fromMs: number, toMs: number, perDay: number): readonly string[] {
  const organisation = [
    '--living',
    '--per-day',
    String(perDay),
    '--from',
    iso(fromMs),
    '--to',
    iso(toMs),
    '--rate',
    '6000',
  ];
  const time = ['--clock', iso(fromMs), '--speed', '0', '--availability-lag', String(LAG_MS / 1000)];
  return [...organisation, ...time, '--availability-step', '900', '--job-ms', '250'];
}

function configText(fromMs: number): string {
  return `genesys: { concurrentJobs: 8 }
windows: { from: ${iso(fromMs)}, size: 6h, checkEvery: 1s, rereads: [{ age: 10d, every: 1d }] }
`;
}
