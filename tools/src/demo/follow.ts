import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { LivingSimulator } from '../living/living-simulator.ts';
import { prove } from '../living/proof.ts';
import { follow } from '../living/topic-reader.ts';
import type { Verdict } from '../living/verdict.ts';
import { Windows } from '../living/windows.ts';
import type { Environment, Finished, Processes } from './processes.ts';
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
const PREFIX = 'demo-run.';
const NAME = 'demo-run';

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
  await using simulator = await LivingSimulator.start(simulatorArgs(fromMs, toMs, perDay), {});
  const config = join(dir, 'run.yaml');
  await writeFile(config, configText(fromMs));
  const env = { ...simulator.env, CONNECTOR_NAME: NAME, SPOOL_DIR: dir };
  const all = stackEnv(stack, { prefix: PREFIX, env });
  const run = processes.launch('producer', ['run', '--json', '--config', config], all, signal);
  const ends = run.finished.then((finished) => {
    throw new StageFailedError('producer run', finished);
  });
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const [windows, readings] = [new Windows(), new Readings()];
  const scene = { simulator, windows, readings, fromMs, toMs };
  const going = async () => {
    await using watch = await watchLedger(kafka, scene, signal);
    await simulator.setClock({ speed });
    await livethrough(scene, signal);
    await simulator.setClock({ now: iso(nowMs + LAG_MS), speed: 0 });
    await settle(scene, nowMs, signal);
    watch.end();
    const status = ['status', '--config', config];
    return { status: (await processes.run('producer', status, all, signal)).stdout };
  };
  const { status } = await Promise.race([going(), ends]);
  ends.catch(() => undefined);
  const startedMs = performance.now();
  run.child.kill('SIGTERM');
  const finished = await run.finished;
  const stopSeconds = (performance.now() - startedMs) / 1000;
  if (finished.status !== 0) throw new StageFailedError('producer run', finished);
  const truth = simulator.truth({ from: iso(fromMs), to: iso(nowMs), at: iso(toMs), matching: 'overlap' });
  const about = { matching: 'overlap' as const, fromMs, toMs: nowMs };
  const verdict = await prove(kafka, `${PREFIX}conversation-details`, truth, about, signal);
  const report = JSON.parse(finished.stdout) as RunReport;
  return { report, run: finished, stopSeconds, readings, verdict, status };
}

interface Scene {
  readonly simulator: LivingSimulator;
  readonly windows: Windows;
  readonly readings: Readings;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Resolves once the run has its lanes; from then on what it commits is seen. */
async function watchLedger(kafka: kafkajs.Kafka, { windows, readings }: Scene, signal: AbortSignal) {
  const topic = `${PREFIX}export-ledger`;
  const admin = kafka.admin();
  await admin.connect();
  try {
    while (!(await admin.listTopics()).includes(topic)) await delay(TICK_MS, undefined, { signal });
  } finally {
    await admin.disconnect();
  }
  const watch = await follow(kafka, topic, ({ key, value }) => {
    windows.add(String(key), value);
    readings.add(String(key), value);
  });
  while (readings.lanes.size < 12) await delay(TICK_MS, undefined, { signal });
  return watch;
}

/** Tells every few seconds how it stands, until the organisation stands still. */
async function livethrough({ simulator, readings, fromMs, toMs }: Scene, signal: AbortSignal): Promise<void> {
  let toldMs = performance.now();
  for (;;) {
    const { now, dataAvailabilityDate } = await simulator.clock();
    const isOver = Date.parse(now) >= toMs;
    if (isOver || performance.now() - toldMs >= TELL_MS) {
      toldMs = performance.now();
      say(
        `  ${now.slice(5, 10)} ${now.slice(11, 16)}  data until ${dataAvailabilityDate.slice(5, 10)} ${dataAvailabilityDate.slice(11, 16)}  ${told(readings)}`,
      );
    }
    if (isOver) return;
    await delay(TICK_MS, undefined, { signal });
  }
}

/** Resolves when every window is read with data of the end. */
async function settle({ windows, readings, fromMs, toMs }: Scene, untilMs: number, signal: AbortSignal): Promise<void> {
  while (windows.unread(fromMs, untilMs, toMs).length > 0) await delay(TICK_MS, undefined, { signal });
  say(`  a day later, nothing changed any more  ${told(readings)}`);
}

function told({ first, again }: Readings): string {
  const count = (n: number) => n.toLocaleString('en-US');
  const changed = `${count(again.published)} of ${count(again.read)} records were new or had changed`;
  return (
    `${first.readings} windows read` + (again.readings === 0 ? '' : `, ${again.readings} readings again: ${changed}`)
  );
}

function simulatorArgs(fromMs: number, toMs: number, perDay: number): readonly string[] {
  const organisation = ['--per-day', String(perDay), '--from', iso(fromMs), '--to', iso(toMs), '--rate', '6000'];
  const time = ['--clock', iso(fromMs), '--speed', '0', '--availability-lag', String(LAG_MS / 1000)];
  return [...organisation, ...time, '--availability-step', '900', '--job-ms', '250'];
}

function configText(fromMs: number): string {
  return `genesys: { concurrentJobs: 8 }
windows: { from: ${iso(fromMs)}, size: 6h, checkEvery: 1s, rereads: [{ age: 10d, every: 1d }] }
`;
}
