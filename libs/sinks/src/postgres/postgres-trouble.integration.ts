import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery, Sink } from '@genesys-kafka/delivery';
import { startProxy } from '@genesys-kafka/testing';
import pg from 'pg';
import { deliverAll } from '../../fixtures/deliver-all.ts';
import { causesOf, PostgresServer, recordOf, type PostgresArea } from '../../fixtures/postgres-area.ts';
import { creationOf } from './table.ts';

const never = new AbortController().signal;
let postgres: PostgresServer;
before(async () => {
  postgres = await PostgresServer.start({ own: true });
});
after(async () => postgres[Symbol.asyncDispose]());

/** Waits for what the server does on its own. */
async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!(await condition())) {
    assert.ok(performance.now() < endMs, `${what} did not come about`);
    await delay(20);
  }
}

/** By a sink with so short a time-out that a busy machine may miss it. */
async function untilDelivered(sink: Sink, record: Delivery): Promise<void> {
  await until(async () => causesOf(await sink.deliver([record], never))[0] === 'delivered', 'the delivery');
}

async function makeTable({ admin, table, name }: PostgresArea): Promise<void> {
  await admin.query(creationOf({ table, recordType: 'jsonb', columns: {} }));
  await admin.query(`ALTER TABLE ${table} OWNER TO ${name}`);
}

/** Every insert and update of the table, or of those rows, fails like this, and is counted. */
async function failingTable(area: PostgresArea, state: string, when = ''): Promise<() => Promise<number>> {
  await makeTable(area);
  const { admin, name, table } = area;
  await admin.query(`CREATE SEQUENCE ${name}.tries; GRANT ALL ON SEQUENCE ${name}.tries TO ${name}`);
  await admin.query(`CREATE FUNCTION ${name}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM nextval('${name}.tries'); RAISE EXCEPTION 'canary' USING ERRCODE = '${state}'; END $$`);
  const each = when === '' ? '' : `FOR EACH ROW ${when}`;
  await admin.query(`CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON ${table} ${each} EXECUTE FUNCTION ${name}.fail()`);
  return async () => {
    const { rows } = await admin.query<{ tries: number }>(
      `SELECT CASE WHEN is_called THEN last_value::int ELSE 0 END AS tries FROM ${name}.tries`,
    );
    return rows[0]!.tries;
  };
}

test('the server stops, or crashes, and comes back: records meanwhile are retries, afterwards all go on', async () => {
  for (const how of ['stop', 'kill'] as const) {
    await using area = await postgres.area();
    const sink = area.sink();
    assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 1)], never)), ['delivered']);
    // Connections that are idle when it goes are not what the first statement after it finds.
    await Promise.all([1, 2, 3].map(async (n) => sink.deliver([recordOf(`b-${n}`, 1)], never)));
    await postgres.server[how]();
    const away = await sink.deliver([recordOf('a', 2), recordOf('c', 2)], never);
    assert.deepEqual(causesOf(away), ['connection-refused', 'connection-refused']);
    assert.ok(away.every(({ kind }) => kind === 'retry'));
    await assert.rejects(sink.check(never), { code: 'sink-unreachable', retry: true });
    await postgres.server.start();
    assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 2), recordOf('c', 2)], never)), [
      'delivered',
      'delivered',
    ]);
    await using again = await reconnected(area);
    const { rows } = await again.client.query(`SELECT id, version FROM ${area.table} ORDER BY id`);
    assert.deepEqual(
      rows.map((row: { id: string; version: string }) => `${row.id} ${row.version}`),
      ['a 2', 'b-1 1', 'b-2 1', 'b-3 1', 'c 2'],
    );
  }
});

/** An area's own connection does not outlive its server. */
async function reconnected(area: PostgresArea) {
  const client = new pg.Client({ connectionString: postgres.server.url, ssl: false });
  await client.connect();
  await client.query(`SET search_path TO ${area.name}`);
  return { client, [Symbol.asyncDispose]: async () => client.end() };
}

test('a statement that is cut off by the server or on the way is a retry, and no connection stays broken', async () => {
  await using area = await postgres.area();
  const { host } = new URL(area.url);
  await using proxy = await startProxy({ target: host });
  const sink = area.sink({ url: area.url.replace(host, proxy.address) });
  await sink.deliver([recordOf('a', 1)], never);
  await area.other.query(`BEGIN; LOCK TABLE ${area.table}`);
  for (const cut of [
    async () =>
      area.admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [area.name]),
    async () => area.admin.query('SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = $1', [area.name]),
  ]) {
    const delivering = sink.deliver([recordOf('a', 2)], never);
    await until(async () => (await area.busy("wait_event_type = 'Lock'")) === 1, 'the wait');
    await cut();
    const [outcome] = await delivering;
    assert.ok(outcome!.kind === 'retry', JSON.stringify(outcome));
    assert.match(outcome!.failure.cause, /postgres-57/);
  }
  // A reset is tried again at once, and waits anew.
  const delivering = sink.deliver([recordOf('a', 2)], never);
  await until(async () => (await area.busy("wait_event_type = 'Lock'")) >= 1, 'the wait');
  proxy.resetAll();
  // The server waits on for the first one, whose end it has not noticed.
  await until(async () => (await area.busy("wait_event_type = 'Lock'")) === 2, 'the second try');
  await area.other.query('ROLLBACK');
  assert.deepEqual(causesOf(await delivering), ['delivered']);
  assert.deepEqual(await area.rows('id, version'), [{ id: 'a', version: '2' }]);
});

test('a deadlock with somebody else is tried again in a moment, and what it is for is stored', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  await sink.deliver([recordOf('a', 1), recordOf('b', 1)], never);
  const { admin, other, table, name } = area;
  // Who has waited for a second looks whether there is a deadlock, once, and is the one that goes: the sink, which is
  // the last to wait. It has `a`, and is kept from `b` until the other one waits.
  await admin.query(`CREATE FUNCTION ${name}.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('${name}')); RETURN NEW; END $$`);
  await admin.query(
    `CREATE TRIGGER wait BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.id = 'b') EXECUTE FUNCTION ${name}.wait()`,
  );
  await admin.query(`SELECT pg_advisory_lock(hashtext('${name}'))`);
  await other.query("SET deadlock_timeout = '10min'");
  await other.query(`BEGIN; UPDATE ${table} SET source = 'theirs' WHERE id = 'b'`);
  const delivering = sink.deliver([recordOf('b', 2), recordOf('a', 2)], never);
  await until(async () => (await area.busy("wait_event_type = 'Lock'")) === 1, 'the wait');
  const updating = other.query(`UPDATE ${table} SET source = 'theirs' WHERE id = 'a'`);
  await until(async () => area.isWaiting(other), 'the wait of the other one');
  await admin.query(`SELECT pg_advisory_unlock(hashtext('${name}'))`);
  await updating;
  await other.query('COMMIT');
  assert.deepEqual(causesOf(await delivering), ['delivered', 'delivered']);
  const deadlocks = 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()';
  await until(async () => (await admin.query<{ deadlocks: number }>(deadlocks)).rows[0]!.deadlocks > 0, 'the deadlock');
  assert.deepEqual(await area.rows('id, version, source'), [
    { id: 'a', version: '2', source: 'job:2' },
    { id: 'b', version: '2', source: 'job:2' },
  ]);
});

test('a lock that is not let go costs the time-out, an abort ends the wait with its reason; neither leaves a statement behind', async () => {
  await using area = await postgres.area();
  const [patient, sink] = [area.sink(), area.sink({ timeoutMs: 1500 })];
  await patient.deliver([recordOf('a', 1)], never);
  await area.other.query(`BEGIN; LOCK TABLE ${area.table}`);
  const [late] = await sink.deliver([recordOf('a', 2)], never);
  assert.ok(late!.kind === 'retry' && late!.failure.cause === 'timeout', JSON.stringify(late));
  await until(async () => (await area.busy()) === 0, 'the end of the statement that was late');
  const abort = new AbortController();
  const aborted = patient.deliver([recordOf('a', 3)], abort.signal);
  await until(async () => (await area.busy("wait_event_type = 'Lock'")) === 1, 'the wait');
  abort.abort(new Error('stop'));
  await assert.rejects(aborted, /stop/);
  await until(async () => (await area.busy()) === 0, 'the end of the statement that was aborted');
  await area.other.query('ROLLBACK');
  await untilDelivered(sink, recordOf('a', 4));
  assert.deepEqual(await area.rows('version'), [{ version: '4' }]);
});

test('a server that falls silent costs the time-out, also while connecting', async () => {
  await using area = await postgres.area();
  const { host } = new URL(area.url);
  await using proxy = await startProxy({ target: host });
  const sink = area.sink({ url: area.url.replace(host, proxy.address), timeoutMs: 1500 });
  await untilDelivered(sink, recordOf('a', 1));
  proxy.halfOpen();
  for (const where of ['on a connection that was there', 'on a new one'])
    assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 2)], never)), ['timeout'], where);
  await assert.rejects(sink.check(never), { code: 'sink-unreachable' });
  proxy.heal();
  await untilDelivered(sink, recordOf('a', 2));
});

test('a full disk, no memory, no connection left, a standby: each is a retry for the whole batch by one statement', async () => {
  for (const state of ['53100', '53200', '40001', '55P03']) {
    await using area = await postgres.area();
    const tries = await failingTable(area, state);
    const outcomes = await area.sink().deliver([recordOf('a', 1), recordOf('b', 1), recordOf('c', 1)], never);
    assert.ok(outcomes.every(({ kind }) => kind === 'retry'));
    assert.deepEqual(new Set(causesOf(outcomes)), new Set([`postgres-${state}`]));
    // A sequence counts what was rolled back too.
    assert.equal(await tries(), state.startsWith('40') ? 3 : 1, state);
    assert.doesNotMatch(JSON.stringify(outcomes), /canary/);
  }
  await using area = await postgres.area();
  await makeTable(area);
  const sink = area.sink();
  await area.admin.query(`ALTER ROLE ${area.name} CONNECTION LIMIT 0`);
  assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 1)], never)), ['postgres-53300']);
  await assert.rejects(sink.check(never), { code: 'sink-database-unready', retry: true });
  await area.admin.query(`ALTER ROLE ${area.name} CONNECTION LIMIT -1`);
  await area.admin.query(`ALTER ROLE ${area.name} SET default_transaction_read_only TO on`);
  const [outcome] = await sink.deliver([recordOf('a', 1)], never);
  assert.ok(outcome!.kind === 'retry' && outcome!.failure.cause === 'database-unready');
  await assert.rejects(sink.check(never), { code: 'sink-database-unready', retry: true });
});

test('what a rule of the table refuses is the record alone; one for all of them is each record, and no circuit', async () => {
  await using area = await postgres.area();
  await makeTable(area);
  await area.admin.query(`ALTER TABLE ${area.table} ADD CHECK ((record->>'n')::int <> 2)`);
  const outcomes = await deliverAll(
    area.sink(),
    [1, 2, 3].map((n) => recordOf(`k-${n}`, n)),
  );
  assert.deepEqual(causesOf(outcomes), ['delivered', 'postgres-23514', 'delivered']);
  assert.equal(outcomes[1]!.kind, 'rejected');
  assert.doesNotMatch(JSON.stringify(outcomes), /conversationId|k-2/);
});

test('a key that Postgres checks too late for an upsert is for somebody to change: records wait, and are told why', async () => {
  await using area = await postgres.area();
  await makeTable(area);
  const { admin, table } = area;
  await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT conversations_pkey, ADD PRIMARY KEY (id) DEFERRABLE`);
  const [outcome] = await area.sink().deliver([recordOf('a', 1)], never);
  assert.ok(
    outcome!.kind === 'misconfigured' && outcome!.failure.reason.includes('DEFERRABLE'),
    JSON.stringify(outcome),
  );
});

test('a code that may be about one record or about the server holds that record up alone, and gives up none', async () => {
  for (const state of ['MY001', 'XX000', '20000']) {
    await using area = await postgres.area();
    await failingTable(area, state, "WHEN (NEW.id = 'k-2')");
    const outcomes = await deliverAll(
      area.sink(),
      [1, 2, 3].map((n) => recordOf(`k-${n}`, n)),
    );
    assert.deepEqual(causesOf(outcomes), ['delivered', `postgres-${state}`, 'delivered']);
    assert.equal(outcomes[1]!.kind, 'retry');
  }
});

test('after a failover a connection that leads to the server that only reads now is not kept', async () => {
  await using area = await postgres.area();
  const { admin, name } = area;
  const sink = area.sink({ maxConnections: 1 });
  const cause = async () => causesOf(await sink.deliver([recordOf('a', 2)], never))[0];
  await cause();
  // A session keeps what the setting was when it began, as a connection keeps its server.
  await admin.query(`ALTER ROLE ${name} SET default_transaction_read_only TO on`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [name]);
  await until(async () => (await cause()) === 'postgres-25006', 'a connection to a server that only reads');
  await admin.query(`ALTER ROLE ${name} RESET default_transaction_read_only`);
  assert.equal(await cause(), 'delivered');
});

test('a login or a table taken away in mid-run: misconfigured, nothing is anybody’s dead letter; given back, it goes on', async () => {
  await using area = await postgres.area();
  const { admin, name, table } = area;
  const sink = area.sink();
  await sink.deliver([recordOf('a', 1)], never);
  const kinds = async () => (await sink.deliver([recordOf('a', 2), recordOf('b', 2)], never)).map(({ kind }) => kind);
  await admin.query(
    `REVOKE ALL ON SCHEMA ${name} FROM ${name}; ALTER SCHEMA ${name} OWNER TO postgres; REVOKE ALL ON SCHEMA ${name} FROM ${name}`,
  );
  assert.deepEqual(await kinds(), ['misconfigured', 'misconfigured']);
  await admin.query(`GRANT ALL ON SCHEMA ${name} TO ${name}; ALTER TABLE ${table} RENAME COLUMN source TO origin`);
  assert.deepEqual(await kinds(), ['misconfigured', 'misconfigured']);
  const [told] = await sink.deliver([recordOf('a', 2)], never);
  assert.match(told!.kind === 'misconfigured' ? told!.failure.reason : '', /column source is missing/);
  await admin.query(`ALTER TABLE ${table} RENAME COLUMN origin TO source; ALTER ROLE ${name} NOLOGIN`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [name]);
  // The end of a session may be told to the statement that comes after it.
  await until(async () => (await kinds()).join(' ') === 'misconfigured misconfigured', 'the refusal of its login');
  await admin.query(`ALTER ROLE ${name} LOGIN`);
  assert.deepEqual(await kinds(), ['delivered', 'delivered']);
});

test('no more connections than the sink may have, however much is handed over at once', async () => {
  await using area = await postgres.area();
  const sink = area.sink({ maxConnections: 2 });
  await sink.deliver([recordOf('a', 1)], never);
  await area.other.query(`BEGIN; LOCK TABLE ${area.table}`);
  const all = Promise.all(Array.from({ length: 12 }, async (_, n) => sink.deliver([recordOf(`k-${n}`, 1)], never)));
  await until(async () => (await area.busy("wait_event_type = 'Lock'")) === 2, 'two waits');
  assert.equal(await area.busy('true'), 2);
  await area.other.query('ROLLBACK');
  assert.ok(causesOf((await all).flat()).every((cause) => cause === 'delivered'));
  assert.equal(await area.busy('true'), 2);
});
