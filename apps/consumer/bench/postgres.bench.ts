/**
 * `npm run bench:postgres -- [--records N] [--rounds N]`: records of 2 kB, each of a key of its own, on a topic through
 * `consumer run --drain` into a table, the server on this machine. From the first batch's statement to the last one's.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, startPostgres, startScript } from '@genesys-kafka/testing';
import pg from 'pg';
import { startBus } from '../fixtures/bus.ts';

const WORDS = 100;
const CHUNK = 2000;

const { values } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '3' } },
});
const records = Number(values.records);
const dir = await mkdtemp(join(tmpdir(), 'bench-'));
await using bus = await startBus();
await using area = await bus.area();
await using postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url, ssl: false });
await client.connect();
try {
  await publish();
  for (let round = 1; round <= Number(values.rounds); round += 1) await consume(round);
} finally {
  await client.end();
  await rm(dir, { recursive: true, force: true });
}

/** Words of random digits: about as compressible as conversations are. */
async function publish(): Promise<void> {
  const word = () => `segment ${Math.random().toString(36).slice(2, 12)}`;
  for (let from = 0; from < records; from += CHUNK) {
    const batch = Array.from({ length: Math.min(CHUNK, records - from) }, (_, at) => {
      const text = Array.from({ length: WORDS }, word).join(' ');
      return { conversationId: `c-${from + at}`, n: 0, text };
    });
    await area.publish(batch, `job-${from}`);
  }
}

/** A new group and a new table each time, from the topic's start to its end. */
async function consume(round: number): Promise<void> {
  const [file, table] = [join(dir, `config-${round}.yaml`), `round_${round}`];
  const sinks = { db: { type: 'postgres', url: postgres.url, table } };
  await writeFile(file, area.config({ connector: `bench-${round}`, routes: [{ name: 'all', sink: 'db' }], sinks }));
  const args = ['--config', file, '--json', 'run', '--drain'];
  const { peakBytes, cpuSeconds } = await measure((options) => startScript('consumer', args, options), {});
  const { rows } = await client.query<{ count: number; seconds: number }>(
    `SELECT count(*)::int AS count, extract(epoch FROM max(updated_at) - min(updated_at))::float AS seconds FROM ${table}`,
  );
  const { count, seconds } = rows[0]!;
  if (count !== records) throw new Error(`${count} rows for ${records} records`);
  await client.query(`DROP TABLE ${table}`);
  console.log(
    `postgres ${Math.round(records / seconds)} records/s (${seconds.toFixed(1)} s), CPU ${cpuSeconds.toFixed(1)} s, ` +
      `peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
  );
}
