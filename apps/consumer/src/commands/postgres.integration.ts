import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPostgres, type Postgres } from '@genesys-kafka/testing';
import { frame } from '@genesys-kafka/topics';
import pg from 'pg';
import { samples, startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { until } from '../../fixtures/until.ts';
import type { RunReport } from './run.ts';

const KEYS = 40;
const RECORDS = 2400;

let bus: Bus;
let server: Postgres;
before(async () => {
  [bus, server] = await Promise.all([
    startBus(),
    startPostgres({ own: true, onProgress: (line) => console.error(line) }),
  ]);
});
after(async () => {
  await Promise.all([bus[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
});

const drain = ['run', '--drain', ...steady];

/** A route of all records into a table of its own; `more` are the sink's other settings. */
function intoTable(area: Area, table: string, more: object = {}): string {
  return area.config({
    routes: [{ name: 'all', sink: 'db' }],
    sinks: { db: { type: 'postgres', url: server.url, table, breaker: { over: 4, cooldown: '500ms' }, ...more } },
  });
}

async function query<T extends object>(text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: server.url, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

async function countOf(table: string): Promise<number> {
  const rows = await query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`).catch(() => []);
  return rows[0]?.count ?? 0;
}

test('killed twice, with the server away in between: each key ends with its newest record, and no row was ever followed by an older one', async () => {
  await using area = await bus.area();
  const config = intoTable(area, 'killed', { batch: { records: 50, age: '50ms' } });
  // The table is made by the first run, of nothing; from then on each write of a row is noted.
  await area.publish(samples(1, 1), 'first');
  await runConsumer(config, drain);
  // However quick the machine is, no more of it is written than is let through: a batch waits in its transaction.
  await query(`CREATE TABLE history (at serial, id text, version bigint);
    CREATE TABLE gate AS SELECT 0 AS rows;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      WHILE (SELECT count(*) FROM history) >= (SELECT rows FROM gate) LOOP PERFORM pg_sleep(0.01); END LOOP;
      INSERT INTO history (id, version) VALUES (new.id, new.version);
      RETURN new;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON killed FOR EACH ROW EXECUTE FUNCTION note()`);
  const letThrough = async (share: number) => query(`UPDATE gate SET rows = ${share * RECORDS}`);
  const untilWritten = async (share: number) =>
    until(async () => (await countOf('history')) > share * RECORDS, `a share of ${share}`);
  await area.publish(samples(RECORDS, KEYS));
  for (const share of [0.1, 0.4]) {
    await using consumer = await ConsumerProcess.start(config, 'run', ...quick);
    await letThrough(share + 0.1);
    await untilWritten(share);
    if (share === 0.4) {
      await server.kill();
      await until(() => consumer.stderr.includes('connection-refused'), 'the open circuit');
      await server.start();
      await letThrough(0.7);
      await untilWritten(0.6);
    }
    consumer.signal('SIGKILL');
    await consumer.ended;
  }
  assert.ok((await countOf('history')) < RECORDS, 'the kills came too late to show anything');
  await letThrough(2);
  await runConsumer(config, drain);
  const rows = await query<{ id: string; n: number }>(`SELECT id, (record->>'n')::int AS n FROM killed`);
  assert.equal(rows.length, KEYS);
  assert.ok(rows.every(({ n }) => n === RECORDS / KEYS - 1));
  const older = `SELECT * FROM (SELECT version <= lag(version) OVER (PARTITION BY id ORDER BY at) AS older FROM history) h WHERE older`;
  assert.deepEqual(await query(older), []);
});

test('a record that jsonb refuses is a dead letter with its cause, its neighbours are stored, and the run ends well', async () => {
  await using area = await bus.area();
  await area.append(0, {
    key: 'c-nul',
    value: frame(area.schemaId, Buffer.from('{"conversationId":"c-nul","text":"\\u0000"}')),
  });
  await area.publish(samples(100, 100));
  const config = intoTable(area, 'refused');
  const { stdout } = await runConsumer(config, drain);
  const { all } = (JSON.parse(stdout) as RunReport).routes;
  assert.deepEqual([all!.delivered, all!.deadLettered], [100, 1]);
  const { stdout: stats } = await runConsumer(config, ['dead-letters', 'stats']);
  assert.deepEqual((JSON.parse(stats) as { byCause: object }).byCause, { 'postgres-22P05': 1 });
  assert.equal(await countOf('refused'), 100);
});

test('check says what is there and what to fix; a table of another shape ends a run before it begins; no password is told', async () => {
  await using area = await bus.area();
  const password = 'canary-wrong-password';
  const checkOf = async (config: string, status: number) => {
    const { stdout, stderr } = await runConsumer(config, ['check'], status);
    assert.ok(!`${stdout}${stderr}`.includes(password));
    return stdout;
  };
  assert.match(await checkOf(intoTable(area, 'checked'), 0), /"check":"sink db","status":"ok"/);
  assert.equal(await countOf('checked'), 0);
  assert.deepEqual(await query("SELECT to_regclass('checked') AS there"), [{ there: null }], 'check makes nothing');
  const wrong = intoTable(area, 'checked', { url: server.url.replace(/:[^:/]*@/, '@'), password });
  assert.match(await checkOf(wrong, 1), /does not accept our login/);
  await query('CREATE TABLE shaped (id text PRIMARY KEY, version int)');
  const shaped = intoTable(area, 'shaped');
  assert.match(await checkOf(shaped, 1), /column version is integer, bigint expected/);
  const refused = await runConsumer(shaped, drain, 1);
  assert.match(refused.stderr, /error: sink-table-mismatch: .*column record is missing, jsonb expected/);
});
