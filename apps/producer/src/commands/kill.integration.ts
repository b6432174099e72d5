import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RecordScanner } from '@genesys-kafka/record-parser';
import { seededRandom, uniquePrefix } from '@genesys-kafka/testing';
import { startProducer, startSimulator, writeArchive, type Ended } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, writtenTo, type Published } from '../../fixtures/topics.ts';

/** `npm run prove` asks for 20; a test run for a few. */
const KILLS = Number(process.env.PROVE_KILLS ?? 3);
const RECORDS = Number(process.env.PROVE_RECORDS ?? 6000);
/** Kills come from when a run may begin to publish, over a span in which it gets some way but not to its end. */
const START_MS = 500;
const SPAN_MS = Math.min(2500, Math.max(800, RECORDS / 40));
const SEED = Number(process.env.PROVE_SEED ?? randomInt(2 ** 31));

const servers = useServers();

before(() => {
  console.log(`seed ${SEED} (PROVE_SEED), ${KILLS} kills (PROVE_KILLS), ${RECORDS} records (PROVE_RECORDS)`);
});

/** A command that ended with its work done, killed on the way, and where that work is. */
interface Killed {
  readonly result: Ended;
  readonly prefix: string;
}

/** A machine may be quick enough to be done before it is killed even once: then it is begun anew, elsewhere. */
async function runThroughKills(
  args: readonly string[],
  envOf: (prefix: string) => Readonly<Record<string, string>>,
  seed: number,
): Promise<Killed> {
  const random = seededRandom(seed);
  for (let tries = 0; tries < 10; tries += 1) {
    const prefix = uniquePrefix();
    const result = await killOnTheWay(args, envOf(prefix), prefix, random);
    if (result) return { result, prefix };
  }
  assert.fail('it ended before the first kill each time: give it more records');
}

/**
 * Runs the same command until it ends by itself, killing it at random moments of its work: now when some records more
 * are written, when they are being sent, now some time after its start, when an archive is being staged. Undefined where
 * it ended before that.
 */
async function killOnTheWay(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  prefix: string,
  random: () => number,
): Promise<Ended | undefined> {
  let kills = 0;
  for (let run = 0; run < KILLS * 3; run += 1) {
    const written = await writtenTo(servers.client, prefix);
    const { child, ended } = startProducer(args, env);
    const timer = new AbortController();
    const share = random();
    const moment = async () => {
      if (run % 2 === 0) await untilMore(prefix, written + (share * RECORDS) / KILLS, timer.signal);
      else await delay(START_MS + share * SPAN_MS, undefined, { signal: timer.signal });
      return true;
    };
    const isToBeKilled = kills < KILLS ? [moment().catch(() => false)] : [];
    if (await Promise.race([...isToBeKilled, ended.then(() => false)])) child.kill('SIGKILL');
    timer.abort();
    const result = await ended;
    // It may have ended by itself in the very moment.
    if (result.status === null) kills += 1;
    else {
      console.log(`${args[0]!}: ended with ${result.status} after ${kills} kills`);
      return kills > 0 ? result : undefined;
    }
  }
  assert.fail('it never came to an end');
}

async function untilMore(prefix: string, offsets: number, signal: AbortSignal): Promise<void> {
  while ((await writtenTo(servers.client, prefix)) <= offsets) await delay(10, undefined, { signal });
}

/** Every source's records are on the topic from 0 without a gap, each once, and as many as the report says. */
async function assertOnceEach(prefix: string, result: Ended): Promise<Published> {
  assert.equal(result.status, 0, result.stderr);
  const { records } = JSON.parse(result.stdout) as { records: { read: number; published: number; invalid: number } };
  assert.equal(records.read, records.published);
  const published = await readPublished(servers.client, prefix);
  const ordinals = new Map<string, number[]>();
  for (const { source, ordinal } of published.records) ordinals.set(source, [...(ordinals.get(source) ?? []), ordinal]);
  for (const [source, seen] of ordinals) {
    const expected = Array.from({ length: seen.length }, (_, index) => index);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      expected,
      `records of ${source} are lost or there twice`,
    );
  }
  assert.equal(published.records.length, records.published);
  assert.equal(new Set(published.records.map((record) => record.key)).size, RECORDS, 'conversations are missing');
  return published;
}

test('publish, killed again and again: each record of the archive is on the topic once, byte for byte', async () => {
  const archive = join(servers.dir, 'archive.zip');
  const plain = join(servers.dir, 'archive.json');
  await writeArchive(archive, ['--records', String(RECORDS)]);
  await writeArchive(plain, ['--records', String(RECORDS)]);
  const args = ['publish', archive, '--json'];
  const { result, prefix } = await runThroughKills(args, (own) => servers.env(own), SEED);
  const { records } = await assertOnceEach(prefix, result);
  assert.equal(records.length, RECORDS);
  const scanner = new RecordScanner({ maxRecordBytes: 1_000_000, maxDepth: 100 });
  const original = scanner.push(await readFile(plain));
  for (const { ordinal, body } of records)
    assert(original[ordinal]!.bytes!.equals(body), 'other bytes than the original');
});

for (const contract of ['details-jobs', 'bulk-archive']) {
  test(`export by ${contract}, killed again and again: each record is on the topic once`, async () => {
    const records = ['--records', String(RECORDS), '--job-ms', '500', '--rate', '100000'];
    await using simulator = await startSimulator(records);
    const envOf = (own: string) => ({ ...simulator.env, ...servers.env(own), GENESYS_CONTRACT: contract });
    // The archives' default size would cut a large day off; the page contract knows no such limit.
    const query = join(servers.dir, `${contract}.json`);
    await writeFile(query, JSON.stringify(contract === 'bulk-archive' ? { size: RECORDS + 1 } : {}));
    const interval = ['--from', '2025-10-01', '--to', '2025-10-02', '--window', '8h'];
    const args = ['export', ...interval, '--query', query, '--json'];
    const { result, prefix } = await runThroughKills(args, envOf, SEED + contract.length);
    await assertOnceEach(prefix, result);
  });
}
