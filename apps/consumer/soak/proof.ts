import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readToEnd } from '@genesys-kafka/kafka';
import pg from 'pg';
import type { Area, Sample } from '../fixtures/bus.ts';
import { quick, runConsumer } from '../fixtures/consumer-process.ts';
import type { Scene } from './scene.ts';
import { judge, newestOf } from './verdict.ts';

/** A dead letter that died again is replayed again, up to the loop guard. */
const REPLAYS = 2;
const ALL = '100000';
/** What a program of ours never says of itself. */
const BUG = /TypeError|ReferenceError|RangeError|AssertionError|ERR_ASSERTION|UnhandledPromise|error: unexpected/;

/** Everything is delivered, dead letters too; resolves with what is wrong by what the program says of itself. */
export async function settle({ config }: Scene): Promise<readonly string[]> {
  const consumer = async (...args: string[]) => (await runConsumer(config(0), args)).stdout;
  const open = async () => {
    const listed = await consumer('dead-letters', 'list', '--state', 'open', '--limit', ALL);
    return (JSON.parse(listed) as { letters: { route: string; cause: string }[] }).letters;
  };
  try {
    await consumer('run', '--drain', ...quick);
    for (let replay = 0; replay < REPLAYS && (await open()).length > 0; replay += 1) {
      await consumer('dead-letters', 'replay', '--rate', '2000/s');
      await consumer('run', '--drain', ...quick);
    }
    const left = JSON.parse(await consumer('drain-report')) as { records: number };
    const faults = (await open()).map((letter) => `an open dead letter: ${JSON.stringify(letter)}`);
    return left.records > 0 ? [...faults, `drain-report: ${JSON.stringify(left)}`] : faults;
  } catch (error) {
    return [String(error)];
  }
}

/** What the processes have logged that speaks of a fault of the program. */
export async function bugsIn(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(dir)) {
    if (!name.endsWith('.log')) continue;
    for await (const line of createInterface(createReadStream(join(dir, name)))) {
      if (BUG.test(line)) found.push(`${name}: ${line.slice(0, 400)}`);
    }
  }
  return found;
}

/** What is at each target, held against the topic. */
export async function verdicts(scene: Scene): Promise<Readonly<Record<string, ReturnType<typeof judge>>>> {
  const { area, target, bucket, postgres, dir } = scene;
  const published = await samplesOf(area, area.main);
  const at = (path: string) => target.taken.get(path) ?? [];
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Sample);
  const client = new pg.Client({ connectionString: postgres.url, ssl: false });
  await client.connect();
  const { rows } = await client.query<{ record: Sample }>('SELECT record FROM soak');
  await client.end();
  const logs = (await readdir(dir)).filter((name) => name.startsWith('log-') && !name.endsWith('.lock'));
  const logged = await Promise.all(logs.map(async (name) => lines(await readFile(join(dir, name), 'utf8'))));
  const inOrder = true;
  return {
    crm: judge(published, at('/crm')),
    audit: judge(
      published.filter(({ n }) => n % 2 === 0),
      at('/audit'),
    ),
    ordered: judge(published, at('/ordered'), { inOrder }),
    bulk: judge(published, at('/bulk')),
    table: judge(
      newestOf(published),
      rows.map(({ record }) => record),
      { once: true },
    ),
    lake: judge(
      published,
      (await bucket.lines()).map((line) => JSON.parse(line) as Sample),
      { once: true, inOrder },
    ),
    copy: judge(published, await samplesOf(area, `${area.prefix}copy`), { once: true, inOrder }),
    log: judge(published, logged.flat()),
  };
}

/** What a read_committed reader finds, partition by partition. */
async function samplesOf(area: Area, topic: string): Promise<Sample[]> {
  const found: Sample[] = [];
  for (const { partition } of await area.client.admin.offsets(topic)) {
    for await (const { records } of readToEnd(area.client, { topic, partition }))
      found.push(...records.map(({ value }) => JSON.parse(value!.subarray(5).toString('utf8')) as Sample));
  }
  return found;
}
