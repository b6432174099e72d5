/**
 * `npm run soak`: `producer run` against simulated days, with everything going wrong, and a proof at the end. See `--help`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runMain } from '@genesys-kafka/runtime/cli';
import { Fleet, playOut, runSoak, startStack, uniquePrefix, type Happened } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { SimulatorProcess } from '../src/living/simulator-process.ts';
import type { SimulatorStats } from '../src/living/simulator-process.ts';
import { prove } from '../src/living/proof.ts';
import { follow, untilThere } from '../src/living/topic-reader.ts';
import type { Verdict } from '../src/living/verdict.ts';
import { Windows } from '../src/living/windows.ts';
import { CONTRACTS } from './contracts.ts';
import type { SoakContract } from './contracts.ts';
import { planDisturbances } from './disturbances.ts';
import type { Disturbance } from './disturbances.ts';
import { HELP, parseOptions } from './options.ts';
import type { SoakOptions } from './options.ts';

const DAY_MS = 86_400_000;
/** The organisation stands still at the end; the last of the weekly readings come this much later. */
const SETTLE_MS = 9 * DAY_MS;
/** Between the last day and now: what has not come yet is not read. */
const SINCE_MS = 10 * DAY_MS;
const SETTLE_PATIENCE_MS = 30 * 60_000;
/** From a submission at Genesys until it is known here. */
const SUBMIT_MS = 5000;
const TICK_MS = 500;
const TELL_MS = 30_000;

const say = (text: string) => process.stderr.write(`${text}\n`);
const iso = (ms: number) => new Date(ms).toISOString();

await runMain(async ({ signal }) =>
  runSoak(process.argv.slice(2), {
    help: HELP,
    parse: parseOptions,
    soak: async (options, dir) => soak(options, dir, signal),
    say,
  }),
);

async function soak(options: SoakOptions, dir: string, signal: AbortSignal): Promise<boolean> {
  const { days, processes } = options;
  const contract = CONTRACTS[options.contract];
  const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - SINCE_MS;
  const fromMs = toMs - days * DAY_MS;
  const prefix = uniquePrefix();
  await using stack = await startStack({ signal, onProgress: (line) => say(`  ${line}`) });
  await using simulator = await SimulatorProcess.start(simulatorArgs(options, fromMs, toMs), base());
  const env = {
    ...base(),
    ...simulator.env,
    KAFKA_BROKERS: stack.brokers.join(','),
    SCHEMA_REGISTRY_URL: stack.registryUrl,
    KAFKA_TOPIC_PREFIX: prefix,
  };
  const config = join(dir, 'config.yaml');
  await writeFile(config, configText(contract, days, fromMs));
  await using fleet = new Fleet({
    app: 'producer',
    args: () => ['run', '--json', '--config', config],
    env: { ...env, SPOOL_DIR: join(dir, 'spool') },
    dir,
    say,
  });
  for (let n = 0; n < processes; n += 1) fleet.start();
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const windows = new Windows();
  const ledger = `${prefix}export-ledger`;
  await untilThere(kafka, ledger, signal);
  await using watch = await follow(kafka, ledger, ({ key, value }) => windows.add(String(key), value));
  const scene = { simulator, fleet, windows, contract, fromMs, toMs };
  const happened = await disturb(options, scene, signal);
  const { untilMs, left } = await settle(scene, signal);
  await fleet.stop();
  watch.end();
  await simulator.setClock({ speed: 0 });
  const { matching } = contract;
  const truth = simulator.truth({ from: iso(fromMs), to: iso(untilMs), at: iso(toMs), matching });
  const about = { matching, fromMs, toMs: untilMs };
  const verdict = await prove(kafka, `${prefix}conversation-details`, truth, about, signal);
  const { requests, ...stats } = await simulator.stats();
  return tell(options, { verdict, left, happened, windows, fleet, requests, limits: stats.limits, jobs: stats.jobs });
}

interface Outcome extends Pick<SimulatorStats, 'requests' | 'limits' | 'jobs'> {
  readonly verdict: Verdict;
  /** Intervals that nobody has read to the end. */
  readonly left: readonly string[];
  readonly happened: Readonly<Record<string, number>>;
  readonly windows: Windows;
  readonly fleet: Fleet;
}

/** One line of JSON on stdout, what is wrong on stderr; true where nothing is. */
function tell({ seed, days, contract }: SoakOptions, { verdict, left, fleet, windows, ...more }: Outcome): boolean {
  const { faults, ...figures } = verdict;
  const found = { ...faults, windowsLeft: left, processes: fleet.faults };
  const counts = Object.fromEntries(Object.entries(found).map(([kind, all]) => [kind, all.length]));
  const report = { seed, contract, days, ...figures, ...more, windows: windows.counts(), faults: counts };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  for (const [kind, all] of Object.entries(found)) for (const text of all.slice(0, 20)) say(`${kind}: ${text}`);
  return Object.values(found).every((all) => all.length === 0);
}

interface Scene {
  readonly simulator: SimulatorProcess;
  readonly fleet: Fleet;
  readonly windows: Windows;
  readonly contract: SoakContract;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Has everything happen that the seed says, until the organisation's last day is over; counts what did. */
async function disturb(
  { seed, events, days, speed }: SoakOptions,
  { simulator, fleet, windows, contract, toMs }: Scene,
  signal: AbortSignal,
): Promise<Happened> {
  let now = '';
  const happened = await playOut({
    plan: planDisturbances(seed, events, (days * DAY_MS) / speed, contract.faults),
    happen: async (what) => happen(what, simulator, fleet, signal),
    isOver: async () => {
      ({ now } = await simulator.clock());
      return Date.parse(now) >= toMs;
    },
    tell: (_, so) => say(`${now}  ${fleet.size} processes, ${told(windows.counts())}, ${told(so)}`),
    tickMs: TICK_MS,
    signal,
  });
  await simulator.clearFaults();
  return happened;
}

/** Resolves with whether there was a process that it could happen to. */
async function happen(
  what: Disturbance,
  simulator: SimulatorProcess,
  fleet: Fleet,
  signal: AbortSignal,
): Promise<boolean> {
  const later = async (ms: number) => delay(ms, undefined, { signal });
  switch (what.kind) {
    case 'kill':
    case 'leave': {
      const isDone = await fleet[what.kind](what.whom);
      if (!isDone) return false;
      await later(what.forMs);
      fleet.start();
      return true;
    }
    case 'pause':
      return fleet.pause(what.whom, what.forMs, signal);
    case 'join':
      fleet.start();
      await later(what.forMs);
      return fleet.leave(0);
    case 'revoke':
      await simulator.revokeCredentials(true);
      await later(what.forMs);
      await simulator.revokeCredentials(false);
      return true;
    case 'fault':
      await simulator.addFault(what.rule);
      return true;
  }
}

/**
 * The organisation stands still; its time is set on, so that every window is due once more. Resolves, when all of them
 * are read with data of the end, with the end of the last one, and with what is left where they never are.
 */
async function settle(
  { simulator, windows, contract, fromMs, toMs }: Scene,
  signal: AbortSignal,
): Promise<{ readonly untilMs: number; readonly left: readonly string[] }> {
  const untilMs = contract.tellsAvailability ? toMs + SETTLE_MS - DAY_MS : toMs;
  await simulator.setClock({ now: iso(toMs + SETTLE_MS), speed: 1 });
  // A job that is submitted by then knows all.
  const sinceMs = contract.tellsAvailability ? toMs : Date.now() + SUBMIT_MS;
  const by = contract.tellsAvailability ? 'until' : 'at';
  say(`the organisation stands still at ${iso(toMs)}; every window is read once more`);
  const startMs = performance.now();
  let toldMs = startMs;
  for (;;) {
    const left = windows.unread(fromMs, untilMs, sinceMs, by);
    const ms = performance.now();
    if (left.length === 0 || ms - startMs > SETTLE_PATIENCE_MS) return { untilMs, left };
    if (ms - toldMs >= TELL_MS) {
      toldMs = ms;
      say(`  ${left.length} gaps left, the first ${left[0]}; ${told(windows.counts())}`);
    }
    await delay(TICK_MS, undefined, { signal });
  }
}

function simulatorArgs({ seed, perDay, speed }: SoakOptions, fromMs: number, toMs: number): readonly string[] {
  const organisation = [
    '--living',
    '--seed',
    String(seed),
    '--per-day',
    String(perDay),
    '--from',
    iso(fromMs),
    '--to',
    iso(toMs),
  ];
  const time = ['--clock', iso(fromMs), '--speed', String(speed), '--availability-lag', '7200'];
  return [...organisation, ...time, '--availability-step', '900', '--job-ms', '500'];
}

function configText({ name, windows }: SoakContract, days: number, fromMs: number): string {
  return `connector: soak
genesys: { contract: ${name}, pageSize: 100, concurrentJobs: 3 }
windows: { from: ${iso(fromMs)}, retryAfter: 2s, ${windows(days)} }
`;
}

function told(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** No setting of the user's environment leaks in. */
function base(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
