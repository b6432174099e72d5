/** `npm run bench`: the product beside other pipelines, on one broker. See options.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaClient } from '@genesys-kafka/kafka';
import { runMain } from '@genesys-kafka/runtime/cli';
import { startStack } from '@genesys-kafka/testing';
import { table } from '../src/demo/table.ts';
import { archiveContents } from './archive.ts';
import type { Contents } from './contents.ts';
import { peerCase } from './cases.ts';
import { sizeOf, writeDocument, type Results } from './report/document.ts';
import { linesOf, movements, type Line } from './report/figures.ts';
import { machine } from './report/machine.ts';
import { PROFILE_HEAD, profileCells, readProfiles, type ThreadTime } from './report/profile.ts';
import { HELP, parseOptions, UsageError, type BenchOptions } from './options.ts';
import { preparePeers, type Peers } from './peers/peers.ts';
import { openSources, productCase, type Sources } from './product.ts';
import { checkOut, type Revision } from './revision.ts';
import { runCase, runRounds, WrongContentsError, type Bench, type Run } from './rounds.ts';
import { writeArchive } from './servers.ts';
import { cells, FAR_NAME, HEAD, movedCells, MOVED_HEAD, notes } from './report/table.ts';

const FAR_MS = 10;

const say = (text: string) => process.stderr.write(`${text}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

await runMain(async ({ signal }) => {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options) return await bench(options, signal);
    print(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof WrongContentsError)) throw error;
    say(error.message);
    return error instanceof UsageError ? 2 : 1;
  }
});

async function bench(options: BenchOptions, signal: AbortSignal): Promise<number> {
  const [load = 0] = loadavg();
  const peers = await preparePeers(options.peers, say, signal);
  for (const { name, missing } of peers.missing) say(`${name} cannot be run: ${missing}`);
  if (peers.missing.length > 0 && !options.allowMissing) {
    say('--allow-missing measures without.');
    return 1;
  }
  const dir = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    await using revision = options.compare === undefined ? undefined : await checkOut(options.compare, signal);
    const results = await measureAll(options, { peers, revision, load, dir }, signal);
    if (options.write) await writeDocument(results);
    return 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Surroundings {
  readonly peers: Peers;
  readonly revision: Revision | undefined;
  readonly load: number;
  readonly dir: string;
}

/** Runs everything and prints the tables. */
async function measureAll(
  options: BenchOptions,
  { peers, revision, load, dir }: Surroundings,
  signal: AbortSignal,
): Promise<Results> {
  const { records, rounds } = options;
  const archive = join(dir, 'archive.zip');
  const archiveBytes = await writeArchive(archive, ['--records', String(records)], signal);
  const expected = await archiveContents(archive, signal);
  const facts = {
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    date: new Date().toISOString().slice(0, 10),
    machine: machine(peers.versions, load),
    ...{ records, jsonBytes: expected.bytes, archiveBytes, rounds, missing: peers.missing },
  };
  say(sizeOf(facts));

  await using stack = await startStack({ signal, onProgress: say });
  await using sources = await openSources(options.product, { dir, archive, records });
  const client = createKafkaClient({ clientId: 'bench', brokers: stack.brokers });
  const on: Bench = { stack, client, signal };
  try {
    const groups = [
      ...options.product.map((name) => [
        productCase(name, sources, stack),
        ...(revision ? [productCase(name, sources, stack, revision)] : []),
      ]),
      ...peers.present.map((peer) => [peerCase(peer, archive, stack.brokers)]),
    ];
    if (!options.quick) {
      // A broker that has just started compiles itself on the same cores, and the stand-in packs its archive at the
      // first query, and makes its conversations then: these runs are nobody's.
      for (const one of groups.flat().filter(({ name }) => /^(publish|export-.*)$/.test(name))) {
        await runCase(on, one, expected);
      }
    }
    const runs = await runRounds(on, groups, rounds, expected, (round, { name }, run) =>
      say(`round ${round + 1} of ${rounds}: ${name}: ${told(run)}`),
    );
    const far = options.far ? await publishFar(on, sources, { rounds, expected }) : [];
    const large = options.large ? await publishLarge(on, sources, records * 10) : [];
    const threads = options.profile ? await profilePublish(on, sources, expected) : [];
    const results = { ...facts, lines: [...linesOf(runs, expected.bytes), ...far, ...large], threads };
    if (options.quick) tellQuick(runs.size, results);
    else tell(results);
    if (revision) {
      print(`\nThis commit’s figures by those of ${revision.label}, within each round: the median (least–most)`);
      print(table([MOVED_HEAD, ...movedCells(movements(runs, revision.label))]));
    }
    return results;
  } finally {
    await client.close();
  }
}

/** To a broker of its own behind a proxy: what its answers' way costs. */
async function publishFar(
  { stack, signal }: Bench,
  sources: Sources,
  { rounds, expected }: { readonly rounds: number; readonly expected: Contents },
): Promise<Line[]> {
  await using away = await startStack({ proxied: true, registry: false, signal, onProgress: say });
  const late = { latencyMs: FAR_MS / 2 };
  away.proxies[0]!.set({ toTarget: late, toClient: late });
  const client = createKafkaClient({ clientId: 'bench', brokers: away.brokers });
  try {
    const on: Bench = { stack: { ...away, registryUrl: stack.registryUrl }, client, signal };
    const runs: Run[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const run = await runCase(on, productCase('publish', sources, on.stack), expected);
      say(`${FAR_NAME}: ${told(run)}`);
      runs.push(run);
    }
    return linesOf(new Map([[FAR_NAME, runs]]), expected.bytes);
  } finally {
    await client.close();
  }
}

/** Another archive, once: whether the memory depends on its size. */
async function publishLarge(on: Bench, sources: Sources, records: number): Promise<Line[]> {
  const archive = join(sources.dir, 'large.zip');
  // Level 1: ten times the archive takes minutes at level 6.
  await writeArchive(archive, ['--records', String(records), '--compression-level', '1'], on.signal);
  const expected = await archiveContents(archive, on.signal);
  const run = await runCase(on, productCase('publish', { ...sources, archive }, on.stack), expected);
  const name = `publish, ${records.toLocaleString('en-US')} records`;
  say(`${name}: ${told(run)}`);
  return linesOf(new Map([[name, [run]]]), expected.bytes);
}

/** One run that is nobody's figure: a profiler takes time of its own. */
async function profilePublish(on: Bench, sources: Sources, expected: Contents): Promise<ThreadTime[]> {
  const profiles = join(sources.dir, 'profiles');
  await runCase(on, productCase('publish', sources, on.stack, undefined, profiles), expected);
  return readProfiles(profiles);
}

function tellQuick(cases: number, { missing }: Results): void {
  print(`${cases} cases ran, and every topic held what it should.`);
  for (const line of notes([], missing)) print(line);
}

function tell(results: Results): void {
  print(`\n${sizeOf(results)}; medians of ${results.rounds} rounds\n${results.machine}\n`);
  print(table([HEAD, ...cells(results.lines, results.missing)]));
  for (const line of notes(results.lines, results.missing)) print(line);
  for (const one of results.threads) print(`\n${one.thread}\n${table([PROFILE_HEAD, ...profileCells(one)])}`);
}

function told({ seconds, clientCpuSeconds, peakBytes }: Run): string {
  const cpu = clientCpuSeconds === undefined ? '' : `, CPU ${clientCpuSeconds.toFixed(1)} s`;
  const peak = peakBytes === undefined ? '' : `, peak ${(peakBytes / 1e6).toFixed(0)} MB`;
  return `${seconds.toFixed(1)} s${cpu}${peak}`;
}
